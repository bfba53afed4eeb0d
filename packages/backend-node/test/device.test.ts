import { createDeviceBackend, createNodeBackend } from '@sd/backend-node';
import { expect, test } from 'vitest';

/** A runtime in which only the processor works, as on a machine without CUDA's libraries. */
const runtime = new URL('fixtures/cpu-only-runtime.mjs', import.meta.url);
const onLinux = process.platform === 'linux' && process.arch === 'x64';

test('an unknown option is refused', () => {
  const wrong = { executionProviders: ['cuda'] } as object;
  expect(() => createNodeBackend(wrong)).toThrow(
    expect.objectContaining({ code: 'invalid-option', option: 'executionProviders' }),
  );
});

test('a device that is named must start', async () => {
  await expect(createDeviceBackend('coreml', { runtime })).rejects.toMatchObject({
    code: 'backend',
    message: expect.stringMatching(/coreml.*needs macOS/),
  });
});

test.runIf(onLinux)('auto computes on the processor where no graphics card starts, and says why', async () => {
  const backend = await createDeviceBackend('auto', { runtime });
  expect(backend.provider).toBe('cpu');
  expect(backend.warnings).toEqual([
    { code: 'no-gpu', message: expect.stringMatching(/processor, since 'cuda' does not start\..*no card here/s) },
  ]);
  await backend.dispose();
});
