import { adapterKinds, adapterRows, type UnsupportedFile, unsupportedFile, unsupportedSentence } from '@sd/adapters';
import type { WeightsFile } from '@sd/weights';
import { families } from '../../families/index.js';
import type { Finding } from './inspection.js';
import { findModel } from './models.js';

/**
 * The kind of a weights file, by its names and shapes, for all of `inspect()`, `attach()` and `loadPipeline()`.
 * The order decides: adapters that are refused resemble supported ones, and other models resemble supported models.
 */
export function findWeights(weights: WeightsFile): Finding {
  const { tensors } = weights;
  const refused = unsupportedFile(tensors, adapterRows);
  const found = refused === undefined ? findAdapter(weights) : describeUnsupported(refused);
  if (found !== undefined) return found;
  const other = unsupportedFile(tensors);
  const unknown = { kind: 'unknown', details: { firstTensor: tensors.keys().next().value } };
  return (other && describeUnsupported(other)) ?? findModel(weights) ?? unknown;
}

/** A file or folder that is refused by name. */
export function describeUnsupported(row: UnsupportedFile): Finding {
  return { kind: 'unsupported', details: { title: row.title }, canDo: `It ${unsupportedSentence(row, families)}` };
}

function findAdapter(weights: WeightsFile): Finding | undefined {
  for (const { name, detect } of adapterKinds) {
    const found = detect?.(weights, families);
    if (found === undefined) continue;
    const { family, usage, ...rest } = found;
    return { kind: name, family, canDo: usage, ...rest };
  }
  return undefined;
}
