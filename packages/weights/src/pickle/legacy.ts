import { CheckpointError, type Source } from '@sd/core';
import type { RandomAccess } from '../random-access.js';
import { bytesOf, type Dtype } from '../safetensors/dtype.js';
import { convertedFile, weightFile } from '../weight-file.js';
import { PickleBytes } from './bytes.js';
import { type DtypeGlobal, knownGlobals } from './globals.js';
import { readPickle } from './machine.js';
import type { Storage, Storages } from './storage.js';

/** Files of torch before 1.6 begin with this number, pickled. */
const magic = 0x1950a86a20f9469cfc6cn;
/** Bytes read up front. All pickles of the file, which hold names and shapes, must fit. */
const longestStart = 2 ** 25;

/**
 * Finds the storages of a file written by torch before 1.6: five pickles (a magic number, the protocol version, the
 * machine, the data, the storages' keys), then each storage, preceded by its number of values.
 * @see torch/serialization.py, `_legacy_load`
 */
export async function legacyStorages(source: Source, file: RandomAccess): Promise<Storages> {
  const { path } = file;
  const start = await file.read(0, Math.min(file.size, longestStart));
  const bytes = new PickleBytes(path, start);
  const dtypes = new Map<string, Dtype | undefined>();
  const environment = {
    global: knownGlobals(path, () => ({ name: '', dtype: 'F32', shape: [], offset: 0, length: 0, file: nowhere })),
    persistent(id: unknown) {
      const [, type, key] = Array.isArray(id) ? id : [];
      if (typeof key === 'string') dtypes.set(key, (type as DtypeGlobal | null)?.dtype);
      return id;
    },
  };
  if (start[0] !== 0x80 || readPickle(bytes, environment) !== magic) throw notTorch(path);
  readPickle(bytes, environment);
  const machine = readPickle(bytes, environment);
  if (!(machine instanceof Map) || machine.get('little_endian') !== true) throw notTorch(path);
  const dataStart = bytes.position;
  readPickle(bytes, environment);
  const keys = readPickle(bytes, environment);
  const weights = await weightFile(source, path, file.size);
  const ranges = new Map<string, Pick<Storage, 'offset' | 'length'>>();
  let at = bytes.position;
  for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const dtype = typeof key === 'string' ? dtypes.get(key) : undefined;
    if (typeof key !== 'string' || dtype === undefined || at + 8 > file.size) throw cutOff(path);
    const count = new DataView((await file.read(at, at + 8)).slice().buffer).getBigUint64(0, true);
    const length = Number(count) * bytesOf[dtype];
    if (at + 8 + length > file.size) throw cutOff(path);
    ranges.set(key, { offset: at + 8, length });
    at += 8 + length;
  }
  return {
    pickle: new PickleBytes(path, start.subarray(dataStart)),
    find(key, dtype) {
      const range = ranges.get(key);
      if (range === undefined) throw cutOff(path);
      const { offset, length } = range;
      const converted: Storage['converted'] = (name, convert) =>
        convertedFile(source, path, { start: offset, end: offset + length, name }, convert);
      return { key, dtype, file: weights, offset, length, use() {}, converted };
    },
  };
}

/** The file of placeholder tensors: the first pass only collects the storages' types. */
const nowhere = { location: '', read: async () => new Uint8Array() };

const notTorch = (path: string) =>
  new CheckpointError('bad-checkpoint', path, 'is neither a zip nor a pickle saved by torch. Download it again.');

const cutOff = (path: string) =>
  new CheckpointError(
    'bad-checkpoint',
    path,
    'ends before the values of its tensors: the file is truncated. Download it again.',
  );
