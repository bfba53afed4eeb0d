import { CheckpointError, type Source } from '@sd/core';
import { bytesOf } from '../safetensors/dtype.js';
import { convertedFile, weightFile } from '../weight-file.js';
import { PickleBytes } from './bytes.js';
import { type DtypeGlobal, knownGlobals } from './globals.js';
import { readPickle } from './machine.js';
import type { Storages } from './open.js';
import type { RandomAccess } from './random-access.js';
import type { Storage } from './tensors.js';

/** The number that torch's files before 1.6 begin with, as a pickle of its own. */
const magic = 0x1950a86a20f9469cfc6cn;
/** Read of such a file at first: the pickles, which hold names and shapes, must be in it. */
const longestStart = 2 ** 25;

/**
 * Finds the storages of a file that torch wrote before 1.6: pickles of a magic number, a version, the machine, the data
 * and the storages' keys, then each storage, its count of values before it.
 * @see torch/serialization.py, `_legacy_load`
 */
export async function legacyStorages(source: Source, file: RandomAccess): Promise<Storages> {
  const { path } = file;
  const start = await file.read(0, Math.min(file.size, longestStart));
  const bytes = new PickleBytes(path, start);
  const dtypes = new Map<string, DtypeGlobal['dtype']>();
  const world = {
    global: knownGlobals(path, () => ({ name: '', dtype: 'F32', shape: [], offset: 0, length: 0, file: nowhere })),
    persistent(id: unknown) {
      const [, type, key] = Array.isArray(id) ? id : [];
      if (typeof key === 'string') dtypes.set(key, (type as DtypeGlobal | null)?.dtype);
      return id;
    },
  };
  if (start[0] !== 0x80 || readPickle(bytes, world) !== magic) throw notTorch(path);
  readPickle(bytes, world);
  const machine = readPickle(bytes, world);
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) throw notTorch(path);
  const dataStart = bytes.position;
  readPickle(bytes, world);
  const keys = readPickle(bytes, world);
  const whole = await weightFile(source, path, file.size);
  const places = new Map<string, Pick<Storage, 'offset' | 'length'>>();
  let at = bytes.position;
  for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const dtype = typeof key === 'string' ? dtypes.get(key) : undefined;
    if (typeof key !== 'string' || dtype === undefined || at + 8 > file.size) throw cutOff(path);
    const count = new DataView((await file.read(at, at + 8)).slice().buffer).getBigUint64(0, true);
    const length = Number(count) * bytesOf[dtype];
    if (at + 8 + length > file.size) throw cutOff(path);
    places.set(key, { offset: at + 8, length });
    at += 8 + length;
  }
  return {
    pickle: new PickleBytes(path, start.subarray(dataStart)),
    find(key, dtype) {
      const place = places.get(key);
      if (place === undefined) throw cutOff(path);
      const range = { start: place.offset, end: place.offset + place.length };
      const converted: Storage['converted'] = (name, convert) =>
        convertedFile(source, path, { ...range, name }, convert);
      return { key, dtype, file: whole, ...place, converted };
    },
  };
}

/** The file of tensors that are only counted. */
const nowhere = { location: '', read: async () => new Uint8Array() };

const notTorch = (path: string) =>
  new CheckpointError('bad-checkpoint', path, 'is neither a zip nor a pickle that torch saved. Download it again.');

const cutOff = (path: string) =>
  new CheckpointError(
    'bad-checkpoint',
    path,
    'ends before the values of its tensors: the file is cut off. Download it again.',
  );
