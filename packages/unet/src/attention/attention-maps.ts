import type { UnetExtension } from '../extension.js';

/** The input that chooses the samples of a batch whose maps are computed: [n], 0 for those without, which is the default. */
export const mappedSamples = 'mapped_samples';

/** An extension that adds attention maps to a U-Net's outputs. */
export interface AttentionMaps extends UnetExtension {
  /**
   * The cross-attentions of the latest graph, by their names in the checkpoint, in the order in which they run. The map of a
   * layer is the output `outputOf(layer)`.
   */
  readonly layers: readonly string[];
}

/** The name of a layer's map among the outputs. */
export function outputOf(layer: string): string {
  return `attention.${layer}`;
}

/**
 * Adds the attention to the text as outputs, one for each cross-attention: the probability of each token at each position,
 * averaged over heads, [samples, tokens, h, w] at the layer's own resolution. They are computed for the samples that the
 * input `mapped_samples` [n] marks, in their order; without any, the added part of the graph computes nothing. On WebGPU,
 * where it has to compute something, one more sample follows. The prediction stays the same to the last bit, since maps are
 * computed next to the attention.
 * @see DAAM, arXiv 2210.04885, section 3
 */
export function attentionMaps(): AttentionMaps {
  let layers: string[] = [];
  return {
    name: 'attention_maps',
    get layers() {
      return layers;
    },
    extend(g) {
      layers = [];
      const rows = g.nonZeroRows(g.optionalInput(mappedSamples, ['batch']));
      return {
        attention({ module, query, key, heads, output, featureMap }) {
          if (featureMap === undefined || !module.endsWith('.attn2')) return output;
          const [queries, keys] = [query, key].map((x) => g.selectRows(x, rows));
          const probabilities = g.attentionProbabilities(queries, keys, heads);
          g.output(outputOf(module), g.fromTokens(probabilities, featureMap));
          layers.push(module);
          return output;
        },
      };
    },
  };
}
