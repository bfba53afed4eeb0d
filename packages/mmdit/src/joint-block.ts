import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import { type AttentionOptions, type JointTokens, jointAttention, selfAttention } from './attention.js';
import { epsilon, type Modulation, modulated, modulations, scaleAndShift } from './modulation.js';

export interface JointBlockOptions extends AttentionOptions {
  /** The embedding of timestep and pooled text, after its activation: [n, width]. */
  readonly conditioning: Value;
  /** True if the image attends to itself a second time. */
  readonly dual: boolean;
}

/** Joint attention of image and text, with separate weights for each; diffusers' `JointTransformerBlock`. */
export function jointBlock(
  g: Graph,
  w: Scope,
  { image, context }: JointTokens,
  options: JointBlockOptions,
): { readonly image: Value; readonly context: Value | undefined } {
  const { conditioning, dual, last } = options;
  const width = staticDim(image, -1);
  const [attention, mlp, attention2] = modulations(g, w.at('norm1.linear'), conditioning, dual ? 3 : 2, width);
  const normal = g.standardized(image, epsilon);
  const normalContext = g.standardized(context, epsilon);
  const contextModulations = last ? [] : modulations(g, w.at('norm1_context.linear'), conditioning, 2, width);
  const contextNorm = last
    ? scaleAndShift(g, w.at('norm1_context.linear'), conditioning, width)
    : contextModulations[0];

  const attended = jointAttention(
    g,
    w.at('attn'),
    { image: modulated(g, normal, attention), context: modulated(g, normalContext, contextNorm) },
    options,
  );
  let x = gatedSum(g, image, attended.image, attention);
  if (dual) {
    x = gatedSum(g, x, selfAttention(g, w.at('attn2'), modulated(g, normal, attention2), options), attention2);
  }
  x = feedForward(g, w.at('ff.net'), x, mlp);
  if (attended.context === undefined) return { image: x, context: undefined };
  const [contextAttention, contextMlp] = contextModulations;
  const y = gatedSum(g, context, attended.context, contextAttention);
  return { image: x, context: feedForward(g, w.at('ff_context.net'), y, contextMlp) };
}

/** Adds to x two linear layers of its normalized and modulated values. */
function feedForward(g: Graph, w: Scope, x: Value, modulation: Modulation): Value {
  const width = staticDim(x, -1);
  const h = g.linear(modulated(g, g.standardized(x, epsilon), modulation), w.at('0.proj'), 4 * width);
  return gatedSum(g, x, g.linear(g.geluTanh(h), w.at(2), width), modulation);
}

function gatedSum(g: Graph, x: Value, change: Value, { gate }: Modulation): Value {
  return g.add(x, g.mul(change, gate));
}
