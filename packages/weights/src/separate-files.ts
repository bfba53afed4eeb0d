import type { TensorView } from './safetensors/tensor-view.js';
import { isSourceFile } from './weight-file.js';

/** Numbers that no graph takes as weights: the positions and counters that torch saves with a module. */
const notWeights = /(^|\.)(position_ids|num_batches_tracked)$/;

/**
 * The tensors of one model. A graph with converted tensors cannot map its other files, so each would be read whole: in
 * that case each tensor becomes a separate file, which is read only if a graph uses it.
 */
export function separateFiles(tensors: ReadonlyMap<string, TensorView>): ReadonlyMap<string, TensorView> {
  const isConverted = ([name, { file }]: [string, TensorView]) => !isSourceFile(file) && !notWeights.test(name);
  if (![...tensors].some(isConverted)) return tensors;
  return new Map([...tensors].map(([name, view]) => [name, separateFile(name, view)]));
}

function separateFile(name: string, view: TensorView): TensorView {
  const { file, offset, length } = view;
  if (!isSourceFile(file)) return view;
  const read = (signal?: AbortSignal) => file.readRange(offset, offset + length, signal);
  return { ...view, file: { location: `${file.location}/${name}`, read }, offset: 0 };
}
