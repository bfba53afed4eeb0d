import { CheckpointError, show } from '@sd/core';
import { isTensorView, type TensorView } from '@sd/weights';

/** A layer of one network. */
export type HypernetworkLayer =
  | { readonly kind: 'linear'; readonly weight: TensorView; readonly bias: TensorView }
  | { readonly kind: 'norm'; readonly weight: TensorView; readonly bias: TensorView };

/** The networks for contexts of one width: one for what keys are made from, one for values. */
export interface HypernetworkPair {
  readonly key: readonly HypernetworkLayer[];
  readonly value: readonly HypernetworkLayer[];
}

/** A hypernetwork's file. */
export interface HypernetworkFile {
  readonly file: string;
  /** Pairs of networks by the width of their context: 768 for SD 1's text, 320 to 1280 for its self-attention. */
  readonly pairs: ReadonlyMap<number, HypernetworkPair>;
  readonly activation: string;
  /** Whether the last linear layer is followed by the activation too. */
  readonly activateOutput: boolean;
}

/**
 * Reads what A1111 saves of a hypernetwork: `{ 768: [state of the keys' network, state of the values' network], ... }` and
 * its settings next to them. Which layer is which follows from the tensors: `linear.0.weight` with two axes is a linear
 * layer, one with a single axis a layer norm; numbers in between are activations and dropout. Files of 2022's first weeks
 * say `linear1` and `linear2`. Throws a CheckpointError for what is no hypernetwork.
 * @param saved The contents of the pickle: dicts as Maps, tensors as views.
 */
export function readHypernetwork(file: string, saved: unknown): HypernetworkFile {
  const entries = saved instanceof Map ? saved : new Map<unknown, unknown>();
  const pairs = new Map<number, HypernetworkPair>();
  for (const [width, networks] of entries) {
    if (typeof width !== 'number') continue;
    if (!Array.isArray(networks) || networks.length !== 2) {
      throw bad(file, `has no pair of networks for the width ${width}`);
    }
    const [key, value] = networks.map((state, i) =>
      layersOf(`${file}: ${width}, ${i === 0 ? 'keys' : 'values'}`, state, width),
    );
    pairs.set(width, { key, value });
  }
  if (pairs.size === 0) throw bad(file, 'has no networks by the width of a context');
  const activation = entries.get('activation_func');
  return {
    file,
    pairs,
    activation: typeof activation === 'string' ? activation : 'linear',
    // Files of October 2022 do not say; A1111 reads them as True.
    activateOutput: entries.has('activate_output') ? Boolean(entries.get('activate_output')) : true,
  };
}

/** Names of the first files. */
const oldNames: Readonly<Record<string, string>> = { linear1: 'linear.0', linear2: 'linear.1' };

function layersOf(where: string, state: unknown, width: number): HypernetworkLayer[] {
  if (!(state instanceof Map)) throw bad(where, 'is no state dict');
  const tensors = new Map<string, TensorView>();
  for (const [name, tensor] of state as Map<unknown, unknown>) {
    if (typeof name !== 'string' || !isTensorView(tensor)) throw bad(where, `has ${show(name)}, which is not a tensor`);
    tensors.set(
      name.replace(/^linear[12]\b/, (old) => oldNames[old]),
      tensor,
    );
  }
  const weights = [...tensors].flatMap(([name, weight]) => {
    const number = /^linear\.(\d+)\.weight$/.exec(name)?.[1];
    return number === undefined ? [] : [{ number: Number(number), weight }];
  });
  const layers = weights
    .sort((a, b) => a.number - b.number)
    .map(({ number, weight }): HypernetworkLayer => {
      const bias = tensors.get(`linear.${number}.bias`);
      if (bias?.shape.length !== 1 || bias.shape[0] !== weight.shape[0])
        throw bad(where, `has no bias for linear.${number}`);
      return { kind: weight.shape.length === 2 ? 'linear' : 'norm', weight, bias };
    });
  expectChain(where, layers, width);
  return layers;
}

/** A network takes a context and gives one of the same width, and each layer takes what the one before it gives. */
function expectChain(where: string, layers: readonly HypernetworkLayer[], width: number): void {
  let size = width;
  for (const { kind, weight } of layers) {
    const [first, second] = weight.shape;
    if ((kind === 'linear' ? second : first) !== size) {
      throw bad(where, `the tensor ${weight.name} of shape [${weight.shape}] does not take ${size} values`);
    }
    size = first;
  }
  if (layers.length === 0 || size !== width) throw bad(where, `gives ${size} values for a context of ${width}`);
}

function bad(file: string, problem: string): CheckpointError {
  return new CheckpointError('bad-checkpoint', file, `${problem}. It is not a hypernetwork as A1111 saves them.`);
}
