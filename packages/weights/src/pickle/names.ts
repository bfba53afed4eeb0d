import { CheckpointError } from '@sd/core';
import type { TensorView } from '../safetensors/tensor-view.js';

/** Keys of a checkpoint under which its model is, beside an optimizer and counters. */
const stateDicts = ['state_dict', 'model_state_dict'];

/** No state dict is nested deeper than this. */
const deepest = 32;

/**
 * The tensors in nested containers, by the keys that lead to them: `linear.0.weight`. If the root is a dict with a
 * `state_dict` or `model_state_dict`, only the tensors in that. A container that occurs twice is walked once.
 */
export function namedTensors(path: string, value: unknown): Map<string, TensorView> {
  const inner = value instanceof Map ? stateDicts.map((key) => value.get(key)).find(isMap) : undefined;
  const tensors = new Map<string, TensorView>();
  const seen = new Set<unknown>();
  const visit = (item: unknown, name: string, depth: number): void => {
    if (isView(item)) {
      tensors.set(name, { ...item, name });
      return;
    }
    if (!(item instanceof Map || Array.isArray(item)) || seen.has(item)) return;
    if (depth > deepest) {
      throw new CheckpointError('bad-checkpoint', path, `its data is nested more than ${deepest} levels deep.`);
    }
    seen.add(item);
    for (const [key, entry] of item.entries())
      visit(entry, name === '' ? String(key) : `${name}.${String(key)}`, depth + 1);
  };
  visit(inner ?? value, '', 0);
  return tensors;
}

function isView(item: unknown): item is TensorView {
  return typeof item === 'object' && item !== null && 'dtype' in item && 'file' in item;
}

const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map;
