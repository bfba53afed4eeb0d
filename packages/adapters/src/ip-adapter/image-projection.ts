import { CheckpointError } from '@sd/core';
import { Graph, type GraphModel, type GraphOptions, Scope, staticDim, type Value } from '@sd/graph';
import type { IpAdapterFile } from './read.js';

/** The graph from an image encoder's output to tokens, with the widths of both. */
export interface ImageProjectionGraph {
  readonly model: GraphModel;
  /** Width of the vectors that it takes, and of its tokens. */
  readonly width: number;
  readonly tokenWidth: number;
}

/** The number of tokens that a plain IP-Adapter makes of an image; its file does not say. */
const plainTokens = 4;

/** Width of a head in Plus; its file does not say so either. */
const headWidth = 64;

/**
 * The projection of an IP-Adapter: `image` in, for a plain one embeddings [n, width], else hidden states [n, tokens, width];
 * `image_tokens` [n, t, tokenWidth] out. Throws a CheckpointError that names a tensor that is missing or does not fit.
 * @see arXiv 2308.06721; diffusers' `ImageProjection`, `IPAdapterPlusImageProjection` and `IPAdapterFullImageProjection`
 */
export function imageProjectionGraph(
  { kind, projection }: IpAdapterFile,
  options: GraphOptions = {},
): ImageProjectionGraph {
  const g = new Graph(options);
  const w = new Scope(projection);
  const write = { plain, plus: resampler, full: eachToken }[kind];
  const { width, tokens } = write(g, w);
  g.output('image_tokens', tokens);
  return {
    model: g.finish('image_projection', { repeated: false }),
    width,
    tokenWidth: staticDim(tokens, -1),
  };
}

interface Written {
  readonly width: number;
  readonly tokens: Value;
}

function plain(g: Graph, w: Scope): Written {
  const [rows, width] = w.tensor('proj.weight', [-1, -1]).shape;
  const x = g.linear(g.input('image', ['batch', width]), w.at('proj'), rows);
  const tokens = g.reshape(x, ['batch', plainTokens, w.tensor('norm.weight', [rows / plainTokens]).shape[0]]);
  return { width, tokens: g.layerNorm(tokens, w.at('norm')) };
}

function eachToken(g: Graph, w: Scope): Written {
  const [inner, width] = w.tensor('proj.0.weight', [-1, -1]).shape;
  const [tokenWidth] = w.tensor('proj.2.weight', [-1, inner]).shape;
  const h = g.gelu(g.linear(g.input('image', ['batch', 'tokens', width]), w.at('proj.0'), inner));
  return { width, tokens: g.layerNorm(g.linear(h, w.at('proj.2'), tokenWidth), w.at('proj.3')) };
}

/** Learned queries that read the hidden states, layer by layer: the resampler of arXiv 2204.14198, 3.1. */
function resampler(g: Graph, w: Scope): Written {
  const latents = w.tensor('latents', [1, -1, -1]);
  const [, count, inner] = latents.shape;
  const [, width] = w.tensor('proj_in.weight', [inner, -1]).shape;
  const [tokenWidth] = w.tensor('proj_out.weight', [-1, inner]).shape;
  const x = g.linear(g.input('image', ['batch', 'tokens', width]), w.at('proj_in'), inner);
  let h = g.expand(g.weight(latents), ['batch', count, inner]);
  for (let i = 0; w.has(`layers.${i}`); i++) {
    h = g.add(h, resamplerAttention(g, w.at('layers', i, 0), x, h));
    h = g.add(h, feedForward(g, w.at('layers', i, 1), h));
  }
  return { width, tokens: g.layerNorm(g.linear(h, w.at('proj_out'), tokenWidth), w.at('norm_out')) };
}

/** Attention of the queries to the image and to themselves. */
function resamplerAttention(g: Graph, w: Scope, x: Value, queries: Value): Value {
  const inner = staticDim(queries, -1);
  const query = w.tensor('to_q.weight', [-1, inner]);
  const [width] = query.shape;
  if (width % headWidth !== 0) {
    throw new CheckpointError(
      'misshapen-tensor',
      query.file.location,
      `the tensor ${query.name} has ${width} rows, but heads of ${headWidth} rows are asked for.`,
      { tensor: query.name },
    );
  }
  const normal = g.layerNorm(queries, w.at('norm2'));
  const [images, latents] = [g.layerNorm(x, w.at('norm1')), normal].map((from) =>
    g.linearParts(from, w.at('to_kv'), [width, width]),
  );
  const [key, value] = [0, 1].map((part) =>
    g.op('Concat', [images[part], latents[part]], ['batch', 'joined', width], { axis: 1n }),
  );
  const attended = g.attention(g.linear(normal, w.at('to_q'), width), key, value, width / headWidth);
  return g.linear(attended, w.at('to_out'), inner);
}

function feedForward(g: Graph, w: Scope, x: Value): Value {
  const inner = staticDim(x, -1);
  const [wide] = w.tensor('1.weight', [-1, inner]).shape;
  const h = g.gelu(g.linear(g.layerNorm(x, w.at(0)), w.at(1), wide));
  return g.linear(h, w.at(3), inner);
}
