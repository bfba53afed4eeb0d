import { adapterKinds } from '@sd/adapters';
import { UnsupportedError } from '@sd/core';
import type { WeightsFile } from '@sd/weights';
import { findWeights } from './find.js';

/**
 * Throws an UnsupportedError that names the kind of a file if it is an adapter or not supported, even if it also has
 * a model's names.
 */
export function expectModel(weights: WeightsFile): void {
  const { kind, canDo } = findWeights(weights);
  const { path } = weights;
  if (kind === 'unsupported') throw new UnsupportedError(`${path}${canDo?.replace(/^It/, '')}`);
  const adapter = adapterKinds.find(({ name }) => name === kind);
  if (adapter === undefined) return;
  throw new UnsupportedError(`${path} is an adapter (${kind}), not a model. ${canDo ?? adapter.usage}`);
}
