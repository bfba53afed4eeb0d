import { CheckpointError, readerBarrier, readText, type Source, SourceError, settleAll } from '@sd/core';
import { notJson } from './config.js';
import { hasFile } from './has-file.js';
import type { TensorView } from './safetensors/tensor-view.js';
import { separateFiles } from './separate-files.js';
import { openWeights } from './weights.js';

/** Translates a tensor's name in the file to the name that the graph uses; undefined drops the tensor. */
export type NameTable = (name: string) => string | undefined;

/** The tensors of one model, from one or more files. Keeps track of which were used. */
export class Checkpoint {
  /** Its name in messages: the file, or the index of the shards. */
  readonly name: string;
  readonly #tensors: ReadonlyMap<string, TensorView>;
  readonly #used = new Set<string>();
  #sorted: readonly string[] | undefined;

  constructor(name: string, tensors: ReadonlyMap<string, TensorView>) {
    this.name = name;
    this.#tensors = separateFiles(tensors);
  }

  get names(): Iterable<string> {
    return this.#tensors.keys();
  }

  /** Whether there is a tensor of this name, or with this name as its prefix. */
  has(name: string): boolean {
    if (this.#tensors.has(name)) return true;
    this.#sorted ??= [...this.#tensors.keys()].sort();
    return firstFrom(this.#sorted, `${name}.`)?.startsWith(`${name}.`) === true;
  }

  /**
   * The tensor of this name. In `shape`, -1 matches any size; trailing axes of size 1 are ignored, since a 1 x 1
   * convolution is a matrix. Throws a CheckpointError that names the tensor if it is missing or has another shape.
   */
  tensor(name: string, shape: readonly number[]): TensorView {
    const view = this.#tensors.get(name);
    if (view === undefined) {
      throw new CheckpointError('missing-tensor', this.name, `has no tensor ${name}, which its config asks for.`, {
        tensor: name,
      });
    }
    this.#used.add(name);
    const actual = view.shape.slice(0, shape.length);
    const fits =
      actual.length === shape.length &&
      shape.every((size, i) => size === -1 || size === actual[i]) &&
      view.shape.slice(shape.length).every((size) => size === 1);
    if (!fits) {
      const expected = shape.map((size) => (size === -1 ? '*' : size));
      throw new CheckpointError(
        'misshapen-tensor',
        this.name,
        `the tensor ${name} has the shape [${view.shape.join(', ')}], but its config asks for [${expected.join(', ')}].`,
        { tensor: name },
      );
    }
    return actual.length === view.shape.length ? view : { ...view, shape: actual };
  }

  /** Names of the tensors that no graph has used so far. */
  unused(): string[] {
    return [...this.#tensors.keys()].filter((name) => !this.#used.has(name));
  }
}

/** The first text in a sorted list that does not come before `text`. */
function firstFrom(sorted: readonly string[], text: string): string | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < text) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
}

export interface OpenCheckpointOptions {
  /** File names to look for, in order, without extension: `model`, `diffusion_pytorch_model`. */
  readonly stems: readonly string[];
  /** The variant to prefer, such as `fp16` in `model.fp16.safetensors`. By default plain files come first. */
  readonly variant?: string;
  readonly names?: NameTable;
}

/**
 * Opens a model's weights in a folder of a source: `stem.safetensors`, shards listed in `stem.safetensors.index.json`, the
 * float16 variants of either, or the same with torch's `.bin`, including `pytorch_model.bin`. Throws a SourceError that
 * lists the candidates if there are none.
 */
export function openCheckpoint(source: Source, folder: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  return readerBarrier('openCheckpoint()', source, (source) => open(source, folder, options));
}

async function open(source: Source, folder: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  const candidates = candidateFiles(options).map((file) => inFolder(folder, file));
  for (const path of candidates) {
    if (!(await hasFile(source, path))) continue;
    const tensors = path.endsWith('.json')
      ? await openShards(source, folder, path)
      : (await openWeights(source, path)).tensors;
    return new Checkpoint(path, options.names === undefined ? tensors : renameTensors(path, tensors, options.names));
  }
  throw new SourceError(
    'not-found',
    folder,
    `${source.name ?? 'The source'} has no weights in ${folder}/: looked for ${candidates.join(', ')}.`,
  );
}

/** The path of a file in a folder; an empty folder is the root of the source. */
export function inFolder(folder: string, file: string): string {
  return folder === '' ? file : `${folder}/${file}`;
}

function candidateFiles({ stems, variant }: OpenCheckpointOptions): string[] {
  const variants = variant === undefined ? ['', 'fp16'] : [variant, ''];
  const kinds = [
    { ending: 'safetensors', names: stems },
    { ending: 'bin', names: stems.map((stem) => (stem === 'model' ? 'pytorch_model' : stem)) },
  ];
  return kinds.flatMap(({ ending, names }) =>
    variants.flatMap((name) =>
      names.flatMap((stem) =>
        name === ''
          ? [`${stem}.${ending}`, `${stem}.${ending}.index.json`]
          : [
              `${stem}.${name}.${ending}`,
              `${stem}.${ending}.index.${name}.json`,
              `${stem}.${name}.${ending}.index.json`,
            ],
      ),
    ),
  );
}

async function openShards(source: Source, folder: string, indexPath: string): Promise<Map<string, TensorView>> {
  const map = await weightMap(indexPath, await readText(source, indexPath));
  const files = [...new Set(map.values())];
  const shards = new Map(
    await settleAll(
      files.map((file) => async () => [file, (await openWeights(source, inFolder(folder, file))).tensors] as const),
    ),
  );
  const tensors = new Map<string, TensorView>();
  for (const [name, file] of map) {
    const view = shards.get(file)?.get(name);
    if (view === undefined) {
      throw new CheckpointError('missing-tensor', indexPath, `lists ${name} in ${file}, which does not have it.`, {
        tensor: name,
      });
    }
    tensors.set(name, view);
  }
  return tensors;
}

async function weightMap(path: string, json: Uint8Array): Promise<Map<string, string>> {
  let index: { weight_map?: unknown } | null;
  try {
    index = JSON.parse(new TextDecoder().decode(json));
  } catch (cause) {
    throw new CheckpointError('bad-checkpoint', path, await notJson(json), { cause });
  }
  const map = index?.weight_map;
  const entries = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.entries(map) : [];
  if (entries.length === 0 || entries.some(([, file]) => typeof file !== 'string')) {
    throw new CheckpointError('bad-checkpoint', path, 'has no weight_map of tensor names to file names.');
  }
  return new Map(entries as [string, string][]);
}

/** The tensors under their translated names. Throws a CheckpointError if two tensors get the same name. */
export function renameTensors(
  path: string,
  tensors: ReadonlyMap<string, TensorView>,
  names: NameTable,
): ReadonlyMap<string, TensorView> {
  const result = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    const translated = names(name);
    if (translated === undefined) continue;
    if (result.has(translated)) {
      throw new CheckpointError('bad-checkpoint', path, `has the tensor ${translated} twice, also as ${name}.`, {
        tensor: name,
      });
    }
    result.set(translated, view);
  }
  return result;
}
