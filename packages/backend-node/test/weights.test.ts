import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import type { Backend, WeightFile } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commonFolder } from '../src/weights.js';
import { weightedGraph } from './graphs.js';

const noRead = () => Promise.reject(new Error('This file must be mapped, not read.'));
const bytesOf = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

let root: string;
let backend: Backend;
beforeAll(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), 'weights-')));
  await mkdir(path.join(root, 'sub'));
  await writeFile(path.join(root, 'a.bin'), Buffer.concat([Buffer.alloc(73), bytesOf([1, 2])]));
  await writeFile(path.join(root, 'sub', 'b.bin'), bytesOf([10, 20]));
  backend = createNodeBackend({ threads: 1 });
});
afterAll(async () => {
  await backend.dispose();
  await rm(root, { recursive: true });
});

async function sum(weights: WeightFile[], offsets: number[]): Promise<number[]> {
  const graph = weightedGraph(weights.map(({ location }, i) => ({ location, offset: offsets[i] })));
  const session = await backend.load({ name: 'sum', graph, weights });
  const { y } = await session.run({});
  await session.dispose();
  return Array.from(y.data as Float32Array);
}

/** A file on disk, with its real path without the root as its location. */
function onDisk(...parts: string[]): WeightFile {
  const full = path.join(root, ...parts);
  const location = full.slice(path.parse(full).root.length).split(path.sep).join('/');
  return { location, path: full, read: noRead };
}

describe('weights', () => {
  test('are mapped from anywhere on disk', async () => {
    expect(await sum([onDisk('a.bin'), onDisk('sub', 'b.bin')], [73, 0])).toEqual([11, 22]);
  });

  test('are mapped from the model’s folder if locations are relative to it', async () => {
    const relative = (location: string) => ({ location, path: path.join(root, location), read: noRead });
    expect(await sum([relative('a.bin'), relative('sub/b.bin')], [73, 0])).toEqual([11, 22]);
  });

  test('are all read if one of them is only in memory', async () => {
    const read: string[] = [];
    const file = (location: string, values: number[]) => ({
      location,
      read: async () => {
        read.push(location);
        return bytesOf(values);
      },
    });
    const disk = onDisk('sub', 'b.bin');
    expect(await sum([{ ...disk, ...file(disk.location, [10, 20]) }, file('memory', [3, 4])], [0, 0])).toEqual([
      13, 24,
    ]);
    expect(read).toEqual([disk.location, 'memory']);
  });

  test('are read if the real path does not match the location, as with a cache of links', async () => {
    await symlink(path.join(root, 'sub', 'b.bin'), path.join(root, 'link.bin'));
    const file = { location: 'link.bin', path: path.join(root, 'sub', 'b.bin'), read: async () => bytesOf([10, 20]) };
    expect(await sum([file], [0])).toEqual([10, 20]);
  });
});

describe('the folder that locations are relative to', () => {
  const model = (...files: [location: string, path: string | undefined][]) => ({
    name: 'unet',
    graph: new Uint8Array(0),
    weights: files.map(([location, path]) => ({ location, read: noRead, ...(path === undefined ? {} : { path }) })),
  });

  test('is the root, or the drive', () => {
    const posix = model(['a/x.bin', '/a/x.bin'], ['b/y.bin', '/b/y.bin']);
    expect(commonFolder(posix, path.posix)).toBe('/');
    const windows = model(['a/x.bin', 'C:\\a\\x.bin'], ['b/y.bin', 'C:\\b\\y.bin']);
    expect(commonFolder(windows, path.win32)).toBe('C:\\');
    expect(commonFolder(model(['x.bin', '\\\\server\\share\\x.bin']), path.win32)).toBe('\\\\server\\share\\');
  });

  test('is undefined if a path does not end with the location, or folders differ', () => {
    expect(commonFolder(model(['x.bin', '/a/wx.bin']), path.posix)).toBeUndefined();
    expect(commonFolder(model(['x.bin', undefined]), path.posix)).toBeUndefined();
    expect(commonFolder(model(['x.bin', '/a/x.bin'], ['y.bin', '/b/y.bin']), path.posix)).toBeUndefined();
  });

  test('is an error on two drives', () => {
    const windows = model(['a/x.bin', 'C:\\a\\x.bin'], ['b/y.bin', 'D:\\b\\y.bin']);
    expect(() => commonFolder(windows, path.win32)).toThrow(/^unet: its weights are on 2 drives \(c:\\, d:\\\)/);
  });
});
