import { CheckpointError } from '@sd/core';
import type { TensorView } from '../safetensors/tensor-view.js';

/** Deeper than this no state dict is nested. */
const deepest = 32;

/**
 * The tensors in plain containers, by the keys on the way to them: `linear.0.weight`. Where the whole is a dict with a
 * `state_dict`, only those in it. A container that is met again is not gone through again.
 */
export function namedTensors(path: string, value: unknown): Map<string, TensorView> {
  const inner = value instanceof Map ? value.get('state_dict') : undefined;
  const tensors = new Map<string, TensorView>();
  const seen = new Set<unknown>();
  const visit = (item: unknown, name: string, depth: number): void => {
    if (isView(item)) {
      tensors.set(name, { ...item, name });
      return;
    }
    if (!(item instanceof Map || Array.isArray(item)) || seen.has(item)) return;
    if (depth > deepest) {
      throw new CheckpointError('bad-checkpoint', path, `its data is nested more than ${deepest} deep.`);
    }
    seen.add(item);
    for (const [key, entry] of item.entries())
      visit(entry, name === '' ? String(key) : `${name}.${String(key)}`, depth + 1);
  };
  visit(inner instanceof Map ? inner : value, '', 0);
  return tensors;
}

function isView(item: unknown): item is TensorView {
  return typeof item === 'object' && item !== null && 'dtype' in item && 'file' in item;
}
