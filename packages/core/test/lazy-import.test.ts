import fs from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { lazyImport } from '../src/index.js';

afterEach(() => vi.restoreAllMocks());

test.each(['EMFILE', 'ENFILE'])(
  'an import without files to open (%s) is refused before it starts, and works later',
  async (code) => {
    const open = fs.openSync;
    const close = vi.spyOn(fs, 'closeSync');
    const opened: number[] = [];
    const exhausted = vi.spyOn(fs, 'openSync').mockImplementation((...given) => {
      if (opened.length === 5) throw Object.assign(new Error(`${code}: too many open files`), { code });
      opened.push(open(...given));
      return opened.at(-1)!;
    });
    const load = vi.fn(async () => ({ value: 1 }));
    await expect(lazyImport(load)).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringContaining(code),
    });
    expect(load).not.toHaveBeenCalled();
    expect(close.mock.calls.flat()).toEqual(opened);
    exhausted.mockRestore();
    expect(await lazyImport(load)).toEqual({ value: 1 });
  },
);

test('an import that fails for another reason rejects with it, and is tried again by the next call', async () => {
  const load = vi.fn(async () => ({ value: 2 }));
  load.mockRejectedValueOnce(new Error('offline'));
  await expect(lazyImport(load)).rejects.toThrow('offline');
  expect(await lazyImport(load)).toEqual({ value: 2 });
});
