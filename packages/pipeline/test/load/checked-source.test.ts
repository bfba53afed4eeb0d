import { SourceError } from '@sd/core';
import { expect, test } from 'vitest';
import { loadPipeline } from '../../src/index.js';
import { checkedSource } from '../../src/load/checked-source.js';

const read = async () => new Uint8Array(8);

test('a source whose methods resolve to another type is refused, with the file and the method', async () => {
  const refused = async (method: 'read' | 'size' | 'realPath', value: unknown) => {
    const source = checkedSource({ read, [method]: async () => value });
    const error = await source[method]!('a/b').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SourceError);
    expect(error).toMatchObject({ code: 'read-failed', path: 'a/b' });
    expect((error as Error).message).toMatch(`The source's ${method}() of a/b must resolve to `);
  };
  for (const value of [1, 'text', null, undefined, [1], {}, new ArrayBuffer(8), Symbol('s')]) {
    await refused('read', value);
  }
  for (const value of [-1, 0.5, Number.NaN, '8', null, 8n]) await refused('size', value);
  for (const value of [1, null, new URL('file:///a')]) await refused('realPath', value);
});

test('loadPipeline() checks the source that it was given', async () => {
  const source = { read: async () => 'text' as never };
  await expect(loadPipeline(source)).rejects.toMatchObject({ code: 'read-failed', path: expect.any(String) });
});

test('methods keep their source as `this`, and its name and warnings', async () => {
  class Files {
    name = 'files';
    warnings = [{ code: 'a', message: 'b' }];
    bytes = new Uint8Array(3);
    async read() {
      return this.bytes;
    }
    async size() {
      return this.bytes.length;
    }
  }
  const files = new Files();
  const source = checkedSource(files as never);
  expect(await source.read('a')).toBe(files.bytes);
  expect(await source.size!('a')).toBe(3);
  expect(source).toMatchObject({ name: 'files', warnings: files.warnings });
  expect(source.realPath).toBeUndefined();
});
