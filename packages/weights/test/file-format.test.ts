import { CheckpointError, type Source } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { fileFormat, openWeights } from '../src/index.js';
import { fileOf, floats, memorySource, rawFile } from './memory.js';

const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const formatOf = (bytes: Uint8Array | string, name = 'x') => fileFormat(memorySource({ [name]: bytes }), name);

test('safetensors are known under any name', async () => {
  const file = await fileOf([floats('a', [2], [1, 2])]);
  for (const name of ['x', 'x.sft', 'x.bin', 'x.ckpt', 'x.onnx', 'x.safetensors.part']) {
    expect(await formatOf(file, name)).toBe('safetensors');
    expect([...(await openWeights(memorySource({ [name]: file }, { sizes: false }), name)).tensors.keys()]).toEqual([
      'a',
    ]);
  }
});

test.each([
  ['a zip', 'PK\x03\x04\0\0\x08\x08\0\0', 'torch'],
  ['a pickle', '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46', 'torch'],
  ['GGUF', 'GGUF\x03\0\0\0', 'gguf'],
  ['an ONNX model of torch', '\x08\x08\x12\x07pytorch', 'onnx'],
  ['an ONNX model without a producer', '\x08\x0a:\x80\x01\x0a\x05', 'onnx'],
  ['bytes of no kind', '\x07\xf1\xf2\xf3\xf4\xf5', 'safetensors'],
] as const)('%s', async (_, start, format) => {
  expect(await formatOf(latin(start))).toBe(format);
});

test('a header of any length is one of safetensors, even if the length is another signature', async () => {
  for (const length of [0x04034b50n, 0x46554747n, 0x120808n]) {
    expect(await formatOf(rawFile('{}', { length }))).toBe('safetensors');
  }
});

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4265380512\n`;
const denied = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Expired</Message></Error>';

test.each([
  ['a Git LFS pointer', pointer, /Git LFS pointer.*git lfs pull/],
  ['a page', '<!DOCTYPE html><html><head><title>Sign in</title>', /web page \(HTML\) \("Sign in"\)/],
  ['a page after blank lines', '\ufeff\n\n <HTML lang="en">', /web page \(HTML\)/],
  ['an error of S3', denied, /is XML.*AccessDenied.*Expired/],
  ['JSON of a server', '{"error": "Invalid token"}', /is JSON.*Invalid token/],
  ['the index of shards', '{"metadata": {"total_size": 1}, "weight_map": {}}', /index of weights in several files/],
  ['a config', '{"_class_name": "UNet2DConditionModel"}', /config of a model, not its weights/],
  ['text', 'Entry not found', /is text, not weights: "Entry not found"/],
  ['nothing', '', /is empty/],
  ['zeros', latin('\0'.repeat(64)), /zeros only: it is an unfinished download/],
  ['7z', latin('7z\xbc\xaf\x27\x1c\0\x04'), /7z archive. Unpack it/],
  ['RAR', latin('Rar!\x1a\x07\x01\0'), /RAR archive/],
  ['gzip', latin('\x1f\x8b\x08\0'), /compressed by gzip/],
  ['a tar', latin(`pickle${'\0'.repeat(251)}ustar\0`), /tar archive.*torch before 0\.1\.10/],
  ['an empty zip', latin(`PK\x05\x06${'\0'.repeat(18)}`), /empty zip/],
  ['an image', latin('\x89PNG\r\n\x1a\n\0'), /PNG image, not weights/],
  ['HDF5', latin('\x89HDF\r\n\x1a\n\0'), /HDF5/],
])('%s is refused by its name', async (_, bytes, message) => {
  for (const name of ['x.safetensors', 'x.ckpt', 'x.onnx', 'x']) {
    const error = await formatOf(bytes, name).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'bad-checkpoint', file: name, message: expect.stringMatching(message) });
  }
});

describe('a download by aria2', () => {
  test('that is not finished, although its space is reserved', async () => {
    const file = await fileOf([floats('a', [2], [1, 2])]);
    const folder: Source = { ...memorySource({ x: file, 'x.aria2': '' }), realPath: async (path) => `/m/${path}` };
    await expect(fileFormat(folder, 'x')).rejects.toThrow('x: is an unfinished download');
  });

  test('whose state is taken for it', async () => {
    await expect(formatOf(latin('\0\x01\0\0\0\0\0\0\0\x14'), 'x.safetensors.aria2')).rejects.toThrow(
      /holds the state of an unfinished aria2 download/,
    );
  });
});
