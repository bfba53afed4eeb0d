import { CheckpointError } from '@sd/core';
import { isTensorView, type TensorView } from '../safetensors/tensor-view.js';

/** Keys under which a checkpoint has its model, next to an optimizer and counters. */
const stateDicts = ['state_dict', 'model_state_dict'];

/** No state dict is nested deeper than this. */
const deepest = 32;
/** No tensor has a name of more characters than this. */
const longestName = 1000;

/**
 * The tensors in nested containers, by the keys that lead to them, strings or numbers: `linear.0.weight`. If the
 * root is a dict with a `state_dict` or `model_state_dict`, only the tensors in that. A container that occurs twice is walked
 * once. Throws a CheckpointError for data nested deeper, and names longer, than any model's.
 */
export function namedTensors(path: string, value: unknown): Map<string, TensorView> {
  const inner = value instanceof Map ? stateDicts.map((key) => value.get(key)).find(isMap) : undefined;
  const tensors = new Map<string, TensorView>();
  const seen = new Set<unknown>();
  const bad = (problem: string) => new CheckpointError('bad-checkpoint', path, `${problem}.`);
  const visit = (item: unknown, name: string, depth: number): void => {
    if (isTensorView(item)) {
      if (name.length > longestName) throw bad(`a tensor in it has a name of more than ${longestName} characters`);
      tensors.set(name, { ...item, name });
      return;
    }
    if (!(item instanceof Map || Array.isArray(item)) || seen.has(item)) return;
    if (depth > deepest) throw bad(`its data is nested more than ${deepest} levels deep`);
    seen.add(item);
    for (const [key, entry] of item.entries()) {
      // Lightning uses classes as keys; there are no weights below them.
      if (typeof key !== 'string' && typeof key !== 'number') continue;
      visit(entry, name === '' ? `${key}` : `${name}.${key}`, depth + 1);
    }
  };
  visit(inner ?? value, '', 0);
  return tensors;
}

const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map;
