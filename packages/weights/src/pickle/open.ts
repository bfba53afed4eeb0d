import { CheckpointError, type Source } from '@sd/core';
import { graphView, refuseQuantized } from '../graph-view.js';
import { type RandomAccess, randomAccess } from '../random-access.js';
import type { TensorView } from '../safetensors/tensor-view.js';
import { convertedFile, weightFile } from '../weight-file.js';
import { PickleBytes } from './bytes.js';
import { type DtypeGlobal, knownGlobals } from './globals.js';
import { legacyStorages } from './legacy.js';
import { readPickle } from './machine.js';
import { namedTensors } from './names.js';
import type { Storage, Storages } from './storage.js';
import { tensorMaker } from './tensors.js';
import { inflated, readZip, type ZipEntry } from './zip.js';

/** An opened torch file: its tensors by name, none of them read, and the whole pickle as plain data. */
export interface PickleFile {
  /** Names are the keys that lead to a tensor, joined by dots; if there is a `state_dict`, only its tensors, without that prefix. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** Dicts as Maps, lists and tuples as arrays, tensors as views. */
  readonly value: unknown;
}

/** A pickle holds names and shapes but no values: no model's is longer than this. */
const longestPickle = 2 ** 26;

/** The names of storages are numbers. */
const longestKey = 200;

/**
 * See `openPickle` in ../weights.ts, which imports this module on demand. With `forGraphs` the tensors have the types that
 * graphs take, and quantized weights are refused.
 */
export async function openPickle(
  source: Source,
  path: string,
  { forGraphs = false }: { readonly forGraphs?: boolean } = {},
): Promise<PickleFile> {
  const file = await randomAccess(source, path);
  const start = await file.read(0, Math.min(4, file.size));
  const zipped = String.fromCharCode(...start.subarray(0, 4)) === 'PK\x03\x04';
  const { pickle, find } = zipped ? await zipStorages(source, file) : await legacyStorages(source, file);
  const made = new Set<unknown>();
  const isStorage = (value: unknown): value is Storage => made.has(value);
  const maker = tensorMaker(path, isStorage);
  const value = readPickle(pickle, {
    global: knownGlobals(path, forGraphs ? (args) => viewForGraphs(maker(args)) : maker),
    persistent(id) {
      const [kind, type, key] = Array.isArray(id) ? id : [];
      if (kind !== 'storage' || typeof key !== 'string' || key.length > longestKey)
        throw pickle.bad('it refers to something other than a storage');
      const storage = find(key, (type as DtypeGlobal | null)?.dtype);
      made.add(storage);
      return storage;
    },
  });
  const tensors = namedTensors(path, value);
  if ([...tensors.values()].some(({ stored }) => stored !== undefined)) refuseQuantized(path, tensors.keys());
  return { tensors, value };
}

const viewForGraphs = (view: TensorView) => graphView(`${view.name}.${view.shape.join('x')}`, view);

async function zipStorages(source: Source, file: RandomAccess): Promise<Storages> {
  const entries = await readZip(file);
  const { path } = file;
  const main = entries.find(({ name }) => /(^|\/)data\.pkl$/.test(name));
  if (main === undefined) {
    const names = entries.slice(0, 3).map(({ name }) => name);
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      `is a zip without data.pkl, so torch did not save it. It has ${names.join(', ') || 'no files'}: unpack it, and give the folder or file in it.`,
    );
  }
  const prefix = main.name.slice(0, -'data.pkl'.length);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  if (byName.has(`${prefix}constants.pkl`)) {
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      'is a TorchScript program, not weights. Save its state_dict instead.',
    );
  }
  const bytes = async (entry: ZipEntry) => {
    if (Math.max(entry.stored, entry.size) > longestPickle) throw tooLong(path, entry.size);
    return inflated(path, entry, await file.read(entry.start, entry.start + entry.stored));
  };
  const order = byName.get(`${prefix}byteorder`);
  if (order !== undefined && new TextDecoder().decode(await bytes(order)) !== 'little') {
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      'was saved in big-endian byte order. Save it again on a little-endian machine.',
    );
  }
  const weights = await weightFile(source, path, file.size);
  /** By entry, the bytes that its tensors use: a deflated entry may claim a thousand times more. */
  const used = new Map<ZipEntry, number>();
  return {
    pickle: new PickleBytes(path, await bytes(main)),
    find(key, dtype) {
      const entry = byName.get(`${prefix}data/${key}`);
      if (entry === undefined) {
        throw new CheckpointError(
          'bad-checkpoint',
          path,
          `has no entry ${prefix}data/${key}, which a tensor refers to. Download it again.`,
        );
      }
      const range = { start: entry.start, end: entry.start + entry.stored };
      const converted: Storage['converted'] = (name, convert) =>
        convertedFile(source, path, { ...range, name }, async (stored) =>
          convert(await inflated(path, entry, stored, used.get(entry))),
        );
      const use = (end: number) => used.set(entry, Math.max(end, used.get(entry) ?? 0));
      const location = entry.deflated
        ? { file: converted(key, (inflatedBytes) => inflatedBytes), offset: 0 }
        : { file: weights, offset: entry.start };
      return { key, dtype, ...location, length: entry.size, use, converted };
    },
  };
}

function tooLong(path: string, size: number): CheckpointError {
  return new CheckpointError('bad-checkpoint', path, `its pickle is ${size} bytes long, longer than any model's.`);
}
