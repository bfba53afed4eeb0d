import { CheckpointError } from '@sd/core';
import { type Graph, staticDim, type Value } from '@sd/graph';
import type { AttentionSources, UnetExtension } from '@sd/unet';
import { familyOfContext, type ModelFamily } from '../family.js';
import { activationNamed } from './activations.js';
import { type HypernetworkFile, type HypernetworkLayer, readHypernetwork } from './read.js';

export interface HypernetworkOptions {
  /** The name of the file, for messages. */
  readonly file: string;
  /** The contents of the file's pickle: dicts as Maps, tensors as views. */
  readonly saved: unknown;
  /** For messages that name the family that it was made for. */
  readonly families?: readonly ModelFamily[];
}

export interface HypernetworkExtension extends UnetExtension {
  /**
   * To be called once a U-Net's graph is written: throws a CheckpointError where none of the networks is for its text, and
   * some are for a width that it has nowhere: they are for the text of another family.
   */
  check(): void;
}

/**
 * A hypernetwork as A1111 trains them: small networks between a context and the keys and values that attention makes from
 * it, in self-attention too. A context c becomes `c + strength * network(c)`; the strength is the input `strength.<name>`.
 *
 * Not every width need have networks: some files are for self-attention alone. Reading throws CheckpointError and
 * UnsupportedError.
 */
export function hypernetworkExtension(
  name: string,
  { file, saved, families = [] }: HypernetworkOptions,
): HypernetworkExtension {
  const network = readHypernetwork(file, saved);
  const activate = activationNamed(file, network.activation);
  let textWidth: number | undefined;
  const met = new Set<number>();
  return {
    name,
    check() {
      if (textWidth === undefined || network.pairs.has(textWidth)) return;
      if ([...network.pairs.keys()].some((width) => !met.has(width))) throw misfit(network, textWidth, families);
    },
    extend(g) {
      const strength = g.optionalInput(`strength.${name}`, [1]);
      const width = g.inputs.find((input) => input.name === 'encoder_hidden_states')?.dims.at(-1);
      textWidth = typeof width === 'number' ? width : undefined;
      met.clear();
      // One context goes into many attentions: its networks run once.
      const written = new Map<string, Value>();
      const passed = (part: 'key' | 'value', context: Value): Value => {
        met.add(staticDim(context, -1));
        const layers = network.pairs.get(staticDim(context, -1))?.[part];
        if (layers === undefined) return context;
        const key = `${part} of ${context.name}`;
        const known = written.get(key);
        if (known !== undefined) return known;
        const change = runLayers(g, context, layers, (x) => activate(g, x), network.activateOutput);
        const result = g.add(context, g.mul(change, strength));
        written.set(key, result);
        return result;
      };
      return {
        sources: (_, { key, value }: AttentionSources) => ({ key: passed('key', key), value: passed('value', value) }),
      };
    },
  };
}

function runLayers(
  g: Graph,
  context: Value,
  layers: readonly HypernetworkLayer[],
  activate: (x: Value) => Value,
  activateOutput: boolean,
): Value {
  const last = layers.findLastIndex(({ kind }) => kind === 'linear');
  return layers.reduce((x, { kind, weight, bias }, i) => {
    if (kind === 'norm') return g.layerNormalization(x, weight, bias);
    const h = g.matmul(x, weight, bias);
    return i < last || activateOutput ? activate(h) : h;
  }, context);
}

function misfit({ file, pairs }: HypernetworkFile, width: number, families: readonly ModelFamily[]): CheckpointError {
  const widths = [...pairs.keys()].sort((a, b) => a - b);
  const [[, { key }]] = [...pairs].sort(([a], [b]) => a - b);
  const first = key[0].weight;
  // 1280 is also the width of self-attention in every family's deeper levels.
  const text = widths.filter((known) => known !== 1280).flatMap((known) => familyOfContext(families, known) ?? []);
  const family = text[0]?.title ?? 'another model';
  return new CheckpointError(
    'misshapen-tensor',
    file,
    `has networks for contexts of ${widths.join(', ')} values, but this U-Net’s text has ${width}: it was made for ${family}. Its first tensor is ${first.name} of shape [${first.shape}].`,
    { tensor: first.name },
  );
}
