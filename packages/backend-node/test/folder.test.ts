import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { openFolder } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { afterAll, beforeAll, expect, test } from 'vitest';

let root: string;
let source: Source;
beforeAll(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'folder-')));
  await mkdir(path.join(root, 'unet'));
  await writeFile(path.join(root, 'unet', 'config.json'), '{"a": 1}');
  await symlink(path.join(root, 'unet', 'config.json'), path.join(root, 'link.json'));
  source = await openFolder(root);
});
afterAll(() => rm(root, { recursive: true }));

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('files are read whole and in ranges', async () => {
  expect(source.name).toBe(root);
  expect(text(await source.read('unet/config.json'))).toBe('{"a": 1}');
  expect(text(await source.read('unet/config.json', { start: 1, end: 4 }))).toBe('"a"');
  expect(await source.read('unet/config.json', { start: 8, end: 8 })).toHaveLength(0);
  expect(text(await (await openFolder(pathToFileURL(root))).read('./unet/../link.json'))).toBe('{"a": 1}');
});

test('size and real path are the file’s, or undefined', async () => {
  expect(await source.size!('unet/config.json')).toBe(8);
  expect(await source.realPath!('link.json')).toBe(path.join(root, 'unet', 'config.json'));
  for (const none of ['vae/config.json', 'unet', 'unet/config.json/more']) {
    expect(await source.size!(none)).toBeUndefined();
    expect(await source.realPath!(none)).toBeUndefined();
  }
});

test('a file in an archive of Electron has the path that is next to the archive, or none', async () => {
  for (const [folder, name] of [
    ['app.asar', 'unpacked.bin'],
    ['app.asar', 'packed.bin'],
    ['app.asar.unpacked', 'unpacked.bin'],
  ]) {
    await mkdir(path.join(root, folder, 'model'), { recursive: true });
    await writeFile(path.join(root, folder, 'model', name), 'weights');
  }
  const model = await openFolder(path.join(root, 'app.asar', 'model'));
  expect(await model.realPath!('unpacked.bin')).toBe(path.join(root, 'app.asar.unpacked', 'model', 'unpacked.bin'));
  expect(await model.realPath!('packed.bin')).toBeUndefined();
  expect(text(await model.read('packed.bin'))).toBe('weights');
});

test('a missing folder or file is named with its full path', async () => {
  const folder = path.join(root, 'nowhere');
  await expect(openFolder(folder)).rejects.toMatchObject({
    code: 'not-found',
    path: folder,
    message: expect.stringContaining(folder),
  });
  const file = path.join(root, 'link.json');
  await expect(openFolder(file)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('is a file'),
  });
  const missing = path.join(root, 'vae', 'config.json');
  await expect(source.read('vae/config.json')).rejects.toMatchObject({
    code: 'not-found',
    path: missing,
    message: expect.stringContaining(missing),
  });
});

test('a path that leaves the folder is rejected', async () => {
  for (const outside of ['../secret', 'unet/../../secret', '/etc/hosts', 'unet/\0']) {
    await expect(source.read(outside)).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringContaining('inside the folder'),
    });
    await expect(source.size!(outside)).rejects.toMatchObject({ code: 'read-failed' });
  }
});

test('a range past the end is an error with the actual size', async () => {
  await expect(source.read('unet/config.json', { start: 4, end: 2 ** 50 })).rejects.toMatchObject({
    code: 'read-failed',
    message: expect.stringContaining('ends after 8 bytes, but bytes 4 to 1125899906842624 were requested'),
  });
  for (const range of [
    { start: 5, end: 4 },
    { start: -1, end: 4 },
    { start: 0, end: 1.5 },
  ]) {
    await expect(source.read('unet/config.json', range)).rejects.toMatchObject({ code: 'read-failed' });
  }
});

// The superuser may read everything, and Windows has no such permissions.
test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
  'a file without permission is not readable',
  async () => {
    await writeFile(path.join(root, 'locked'), 'x');
    await chmod(path.join(root, 'locked'), 0);
    await expect(source.read('locked')).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringContaining('permissions'),
    });
  },
);
