import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import { epsilon } from './modulation.js';

/** The tokens that go through the blocks. */
export interface JointTokens {
  /** [n, patches, width] */
  readonly image: Value;
  /** [n, tokens, width] */
  readonly context: Value;
}

export interface AttentionOptions {
  readonly heads: number;
  readonly normalizedHeads: boolean;
  /** True in the last block, whose text output nothing uses. */
  readonly last: boolean;
}

/** Names of the projections to queries, keys and values, and of the norms of queries and keys. */
interface Names {
  readonly linear: readonly [query: string, key: string, value: string];
  readonly norms: readonly [query: string, key: string];
}

const ofImage: Names = { linear: ['to_q', 'to_k', 'to_v'], norms: ['norm_q', 'norm_k'] };
const ofContext: Names = {
  linear: ['add_q_proj', 'add_k_proj', 'add_v_proj'],
  norms: ['norm_added_q', 'norm_added_k'],
};

/** Attention of image and text to both, the image's tokens first. In the last block only the image's result is computed. */
export function jointAttention(
  g: Graph,
  w: Scope,
  { image, context }: JointTokens,
  options: AttentionOptions,
): { readonly image: Value; readonly context: Value | undefined } {
  const width = staticDim(image, -1);
  const imageProjections = projections(g, w, image, ofImage, options);
  const contextProjections = projections(g, w, context, ofContext, options);
  const [query, key, value] = imageProjections.map((projection, i) =>
    g.op('Concat', [projection, contextProjections[i]], [image.dims[0], 'joint_tokens', width], { axis: 1n }),
  );
  const attended = g.attention(query, key, value, options.heads);
  const imageEnd = g.size(image, 1);
  const imageTokens = g.op('Slice', [attended, g.indices([0]), imageEnd, g.indices([1])], image.dims);
  const result = g.linear(imageTokens, w.at('to_out.0'), width);
  if (options.last) return { image: result, context: undefined };
  const contextTokens = g.op('Slice', [attended, imageEnd, g.indices([sliceEnd]), g.indices([1])], context.dims);
  return { image: result, context: g.linear(contextTokens, w.at('to_add_out'), width) };
}

/** An end for slices past the end of every axis. */
const sliceEnd = 2 ** 31 - 1;

/** Attention among the image's tokens. */
export function selfAttention(g: Graph, w: Scope, x: Value, options: AttentionOptions): Value {
  const [query, key, value] = projections(g, w, x, ofImage, options);
  return g.linear(g.attention(query, key, value, options.heads), w.at('to_out.0'), staticDim(x, -1));
}

/** Queries, keys and values of tokens [n, tokens, width], each of the same shape. */
function projections(
  g: Graph,
  w: Scope,
  x: Value,
  { linear, norms }: Names,
  { heads, normalizedHeads }: AttentionOptions,
): [query: Value, key: Value, value: Value] {
  const width = staticDim(x, -1);
  const [query, key, value] = linear.map((name) => g.linear(x, w.at(name), width));
  if (!normalizedHeads) return [query, key, value];
  const [queryNorm, keyNorm] = norms.map((name) => w.at(name));
  return [headNorm(g, queryNorm, query, heads), headNorm(g, keyNorm, key, heads), value];
}

/** Divides each head's slice of x [n, tokens, width] by its root mean square. */
function headNorm(g: Graph, w: Scope, x: Value, heads: number): Value {
  const [batch, tokens] = x.dims;
  const perHead = g.reshape(x, [batch, tokens, heads, staticDim(x, -1) / heads]);
  return g.reshape(g.rmsNorm(perHead, w, epsilon), x.dims);
}
