import {
  clipLayer,
  extendLayers,
  Graph,
  type GraphModel,
  type GraphOptions,
  type LayerExtension,
  Scope,
  type TensorLookup,
  type Value,
} from '@sd/graph';
import type { ClipTextConfig } from './config.js';

export interface ClipTextGraphOptions extends GraphOptions {
  readonly extensions?: readonly LayerExtension[];
}

/**
 * Writes the graph of CLIP's text transformer. Input: `input_ids` [n, tokens]. Outputs: for every k from 0 to the number of
 * layers, the hidden state after k layers, [n, tokens, width], as `hidden_states.k`, and after the final layer norm as
 * `normalized.k`; with a projection also `projected` [n, tokens, projectionWidth].
 *
 * Optional inputs: `token_vectors` [count, width] are the embeddings of ids from `vocabSize` on, for textual inversion;
 * `attention_bias` [n, 1, tokens, tokens] is added to the scores of every attention, to mask tokens.
 * @see arXiv 2103.00020; tensor names as in transformers' `CLIPTextModel`, without the prefix `text_model.`
 */
export function clipTextGraph(
  checkpoint: TensorLookup,
  config: ClipTextConfig,
  { extensions = [], ...options }: ClipTextGraphOptions = {},
): GraphModel {
  const g = new Graph(options);
  const w = new Scope(checkpoint);
  const ids = g.input('input_ids', ['batch', config.maxLength], 'int64');
  extendLayers(g, extensions);
  let x = g.add(tokenVectors(g, w, ids, config), positions(g, w, config));
  const bias = g.optionalInput('attention_bias', ['batch', 1, config.maxLength, config.maxLength]);
  const output = (layers: number, hidden: Value) => {
    const normalized = g.layerNorm(hidden, w.at('final_layer_norm'), config.epsilon);
    g.output(`hidden_states.${layers}`, hidden);
    g.output(`normalized.${layers}`, normalized);
    return normalized;
  };
  let last = output(0, x);
  for (let i = 0; i < config.layers; i++) {
    x = clipLayer(g, w.at('encoder.layers', i), x, { ...config, causal: true, bias });
    last = output(i + 1, x);
  }
  if (config.projectionWidth !== undefined) {
    g.output('projected', g.linear(last, w.at('text_projection'), config.projectionWidth));
  }
  return g.finish('text_encoder', { repeated: false });
}

/** The embeddings of the positions, [tokens, width]. */
function positions(g: Graph, w: Scope, { maxLength, width }: ClipTextConfig): Value {
  const module = 'embeddings.position_embedding';
  const table = w.tensor(`${module}.weight`, [maxLength, width]);
  const ids = g.indices(Array.from({ length: maxLength }, (_, i) => i));
  return g.adaptedRows({ module, table, ids, output: g.weight(table) });
}

/** The embedding of each id, from the checkpoint's table or from `token_vectors`. */
function tokenVectors(g: Graph, w: Scope, ids: Value, { vocabSize, width }: ClipTextConfig): Value {
  const module = 'embeddings.token_embedding';
  const table = w.tensor(`${module}.weight`, [vocabSize, width]);
  const vectors = g.optionalInput('token_vectors', ['learned', width]);
  const [zero, last, count] = [0, vocabSize - 1, vocabSize].map((value) => g.indices([value]));
  const knownIds = g.op('Min', [ids, last], ids.dims);
  const known = g.adaptedRows({ module, table, ids: knownIds, output: g.embedding(knownIds, table) });
  const row = g.op('Max', [g.op('Sub', [ids, count], ids.dims), zero], ids.dims);
  const added = g.op('Gather', [vectors, row], known.dims);
  const isKnown = g.op('Less', [ids, count], ids.dims);
  const perWord = g.op('Unsqueeze', [isKnown, g.indices([-1])], [...ids.dims, 1]);
  return g.op('Where', [perWord, known, added], known.dims);
}
