import { readText, type Source, SourceError } from '@sd/core';
import { expect, test } from 'vitest';

test('a text has a limit: a larger file is not read, if its source tells sizes, or not used', async () => {
  let reads = 0;
  const source = (size: number): Source => ({
    size: async () => size,
    read: async () => {
      reads += 1;
      return new Uint8Array(size);
    },
  });
  expect(await readText(source(10), 'config.json')).toHaveLength(10);
  await expect(readText(source(2 ** 40), 'config.json')).rejects.toThrow(SourceError);
  expect(reads).toBe(1);
  const { read } = source(2 ** 26 + 1);
  await expect(readText({ read }, 'config.json')).rejects.toThrow('config.json has 67108865 bytes');
});
