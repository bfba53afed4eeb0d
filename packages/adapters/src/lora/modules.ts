import { CheckpointError, sizeOf, UnsupportedError } from '@sd/core';
import type { TensorView } from '@sd/weights';
import { unsupportedLora } from '../unsupported-files.js';
import { type LoraComponent, otherAlgorithm, readTensorName, type Slot, type TensorName } from './names.js';

/** How a module's change to a weight is written, where it is not the whole difference. */
export type Algorithm = 'lora' | 'loha' | 'lokr' | 'glora' | 'oft' | 'boft' | 'ia3';

/** One module of an adapter: the change to one layer of a model. */
export interface LoraModule {
  readonly component: LoraComponent;
  /** The layer's name, with underscores. */
  readonly module: string;
  /** The module's name in the file, and the same without its prefix. */
  readonly written: string;
  readonly path: string;
  /** Undefined if there are only whole differences: `diff`, `diff_b`, `w_norm`, `b_norm`. */
  readonly algorithm: Algorithm | undefined;
  readonly tensors: ReadonlyMap<Slot, TensorView>;
}

interface Draft {
  readonly component: LoraComponent;
  readonly module: string;
  readonly written: string;
  readonly path: string;
  readonly tensors: Map<Slot, TensorView>;
  /** Endings of the names in the file. */
  readonly endings: Map<Slot, string>;
}

const opposite: Readonly<Record<string, string>> = { lora_A: 'lora_B', lora_B: 'lora_A', down: 'up', up: 'down' };

/**
 * Groups a file's tensors by module. Throws a CheckpointError, naming the tensor, where one of a pair is missing, and an
 * UnsupportedError for other algorithms and other families of models.
 */
export function readModules(
  file: string,
  tensors: ReadonlyMap<string, TensorView>,
): { readonly modules: readonly LoraModule[]; readonly unused: readonly string[] } {
  const drafts = new Map<string, Draft>();
  const unused: string[] = [];
  for (const [name, view] of tensors) {
    const family = unsupportedLora(name);
    if (family !== undefined) {
      throw new UnsupportedError(`${file}: is for ${family}, by its tensor ${name}. Such models are not supported.`);
    }
    const algorithm = otherAlgorithm(name);
    if (algorithm !== undefined) {
      throw new UnsupportedError(`${file}: its tensor ${name} uses ${algorithm}, which is not supported.`);
    }
    const read = readTensorName(name);
    if (read?.slot === undefined) unused.push(name);
    else addTensor(file, drafts, { ...read, slot: read.slot, name, view });
  }
  const modules: LoraModule[] = [];
  for (const draft of drafts.values()) {
    const slots = [...draft.tensors.keys()];
    // A whole weight in place of a change, as PEFT's `modules_to_save` and full checkpoints have.
    if (slots.every((slot) => slot === 'scale')) unused.push(draft.tensors.get('scale')!.name);
    else modules.push({ ...draft, algorithm: algorithmOf(file, draft) });
  }
  if (modules.length > 0) return { modules, unused };
  throw new CheckpointError(
    'bad-checkpoint',
    file,
    `has no LoRA or related adapter for a U-Net, transformer or text encoder${unused.length === 0 ? '' : `: its first tensor is ${unused[0]}`}.`,
  );
}

function addTensor(
  file: string,
  drafts: Map<string, Draft>,
  read: TensorName & { readonly slot: Slot; readonly name: string; readonly view: TensorView },
): void {
  const { component, module, written, path, ending, slot, name, view } = read;
  const bad = (problem: string) => new CheckpointError('bad-checkpoint', file, `has ${problem}.`, { tensor: name });
  if (sizeOf(view.shape) === 0) throw bad(`the tensor ${name} without values`);
  if ((slot === 'alpha' || slot === 'on_input') && sizeOf(view.shape) !== 1) {
    throw bad(`the tensor ${name} of shape [${view.shape.join(', ')}], which should be one number`);
  }
  const key = `${component} ${module}`;
  let draft = drafts.get(key);
  if (draft === undefined) {
    draft = { component, module, written, path, tensors: new Map(), endings: new Map() };
    drafts.set(key, draft);
  }
  if (draft.tensors.has(slot)) throw bad(`two tensors for the same factor, the second being ${name}`);
  draft.tensors.set(slot, view);
  draft.endings.set(slot, ending);
}

/** Slots by the algorithm that they belong to; the rest go with any. */
const ownSlots: readonly (readonly [RegExp, Exclude<Algorithm, 'boft'>])[] = [
  [/^(down|up|mid|bias)$/, 'lora'],
  [/^hada_/, 'loha'],
  [/^lokr_/, 'lokr'],
  [/^([ab][12]|bm)$/, 'glora'],
  [/^(oft_blocks|oft_diag|rescale)$/, 'oft'],
  [/^(scale|on_input)$/, 'ia3'],
];
const isDifference = (slot: Slot) => /^(diff|diff_b|w_norm|b_norm)$/.test(slot);

function algorithmOf(file: string, draft: Draft): Algorithm | undefined {
  const { tensors, written } = draft;
  const found = new Map<Exclude<Algorithm, 'boft'>, TensorView>();
  for (const [slot, view] of tensors) {
    const algorithm = ownSlots.find(([pattern]) => pattern.test(slot))?.[1];
    if (algorithm !== undefined) found.set(algorithm, view);
  }
  const [first, second] = found;
  if (second !== undefined) {
    const names = [first, second].map(([, { name }]) => name).join(' and ');
    throw new CheckpointError('bad-checkpoint', file, `has tensors of two algorithms for ${written}: ${names}.`, {
      tensor: second[1].name,
    });
  }
  const algorithm = first?.[0];
  if (algorithm === undefined && [...tensors.keys()].some(isDifference)) return undefined;
  expectWhole(file, draft, algorithm ?? 'lora');
  const magnitude = tensors.get('dora_scale') ?? tensors.get('magnitude');
  if (magnitude !== undefined && !/^(lora|loha|lokr)$/.test(algorithm ?? 'lora')) {
    const title = algorithm!.toUpperCase();
    throw new UnsupportedError(
      `${file}: its tensor ${magnitude.name} is a magnitude of DoRA with ${title}, which is not supported.`,
    );
  }
  return algorithm === 'oft' && tensors.get('oft_blocks')?.shape.length === 4 ? 'boft' : algorithm;
}

/** Throws a CheckpointError where a module lacks a tensor that its algorithm needs. */
function expectWhole(file: string, draft: Draft, algorithm: Exclude<Algorithm, 'boft'>): void {
  const { tensors, written, endings } = draft;
  const need = (...names: readonly Slot[]) => {
    const [missing] = names.filter((name) => !tensors.has(name));
    if (missing === undefined) return;
    const ending = { scale: 'weight', a1: 'a1.weight', a2: 'a2.weight', b1: 'b1.weight', b2: 'b2.weight' } as Partial<
      Record<Slot, string>
    >;
    throw lacks(file, draft, `${written}.${ending[missing] ?? missing}`);
  };
  if (algorithm === 'loha') {
    need('hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b');
    if (tensors.has('hada_t1') || tensors.has('hada_t2')) need('hada_t1', 'hada_t2');
  } else if (algorithm === 'lokr') {
    if (!tensors.has('lokr_w1')) need('lokr_w1_a', 'lokr_w1_b');
    if (!tensors.has('lokr_w2')) need('lokr_w2_a', 'lokr_w2_b');
  } else if (algorithm === 'glora') need('a1', 'a2', 'b1', 'b2');
  else if (algorithm === 'ia3') need('scale', 'on_input');
  else if (algorithm === 'oft') {
    if (!tensors.has('oft_diag')) need('oft_blocks');
  } else {
    for (const [half, other] of [
      ['down', 'up'],
      ['up', 'down'],
    ] as const) {
      if (tensors.has(half)) continue;
      const ending = endings.get(other)?.replace(/lora_[AB]|down|up/, (name) => opposite[name]);
      throw lacks(file, draft, `${written}${ending ?? `.lora_${half}.weight`}`);
    }
  }
}

function lacks(file: string, { written, tensors }: Draft, missing: string): CheckpointError {
  const has = [...tensors.values()].map(({ name }) => name).join(', ');
  return new CheckpointError(
    'missing-tensor',
    file,
    `has no tensor ${missing}, which belongs to ${written}: there is ${has}.`,
    {
      tensor: missing,
    },
  );
}
