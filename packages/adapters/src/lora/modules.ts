import { CheckpointError, sizeOf, UnsupportedError } from '@sd/core';
import type { TensorView } from '@sd/weights';
import { unsupportedLora } from '../unsupported-models.js';
import { type LoraComponent, otherAlgorithm, readTensorName, type Slot } from './names.js';

/** How a module's change is written. */
export type Algorithm = 'lora' | 'loha' | 'lokr';

/** One module of an adapter: the change to one layer of a model. */
export interface LoraModule {
  readonly component: LoraComponent;
  /** The layer's name, with underscores. */
  readonly module: string;
  /** The module as the file writes it. */
  readonly written: string;
  readonly algorithm: Algorithm;
  readonly tensors: ReadonlyMap<Slot, TensorView>;
}

interface Draft {
  readonly component: LoraComponent;
  readonly module: string;
  readonly written: string;
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
    const read = readTensorName(name);
    if (read?.slot === undefined) {
      const algorithm = otherAlgorithm(name);
      if (read !== undefined && algorithm !== undefined) {
        throw new UnsupportedError(`${file}: its tensor ${name} is of ${algorithm}, which this version does not read.`);
      }
      unused.push(name);
      continue;
    }
    const { component, module, written, ending, slot } = read;
    if (sizeOf(view.shape) === 0) {
      throw new CheckpointError('bad-checkpoint', file, `has the tensor ${name} without values.`, { tensor: name });
    }
    const key = `${component} ${module}`;
    let draft = drafts.get(key);
    if (draft === undefined) {
      draft = { component, module, written, tensors: new Map(), endings: new Map() };
      drafts.set(key, draft);
    }
    if (draft.tensors.has(slot)) {
      throw new CheckpointError('bad-checkpoint', file, `has two tensors for one place, ${name} the second.`, {
        tensor: name,
      });
    }
    draft.tensors.set(slot, view);
    draft.endings.set(slot, ending);
  }
  const modules = [...drafts.values()].map((draft) => ({ ...draft, algorithm: algorithmOf(file, draft) }));
  if (modules.length > 0) return { modules, unused };
  throw new CheckpointError(
    'bad-checkpoint',
    file,
    `has no LoRA, LoHa or LoKr for a U-Net or text encoder${unused.length === 0 ? '' : `: its first tensor is ${unused[0]}`}.`,
  );
}

function algorithmOf(file: string, draft: Draft): Algorithm {
  const { tensors, written, endings } = draft;
  const slots = [...tensors.keys()];
  const need = (...names: readonly Slot[]) => {
    const [missing] = names.filter((name) => !tensors.has(name));
    if (missing !== undefined) throw lacks(file, draft, `${written}.${missing}`);
  };
  if (slots.some((slot) => slot.startsWith('hada_'))) {
    need('hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b');
    if (tensors.has('hada_t1') || tensors.has('hada_t2')) need('hada_t1', 'hada_t2');
    return 'loha';
  }
  if (slots.some((slot) => slot.startsWith('lokr_'))) {
    if (!tensors.has('lokr_w1')) need('lokr_w1_a', 'lokr_w1_b');
    if (!tensors.has('lokr_w2')) need('lokr_w2_a', 'lokr_w2_b');
    return 'lokr';
  }
  for (const [half, other] of [
    ['down', 'up'],
    ['up', 'down'],
  ] as const) {
    if (tensors.has(half)) continue;
    const ending = endings.get(other)?.replace(/lora_[AB]|down|up/, (name) => opposite[name]);
    throw lacks(file, draft, `${written}${ending ?? `.lora_${half}.weight`}`);
  }
  return 'lora';
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
