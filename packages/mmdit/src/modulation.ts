import type { Graph, Scope, Value } from '@sd/graph';

/** Epsilon of all norms, which no config specifies. */
export const epsilon = 1e-6;

/** Modulation of normalized tokens by the timestep and the pooled text: each [n, 1, width]. */
export interface ScaleAndShift {
  readonly scale: Value;
  readonly shift: Value;
}

/** Modulation around a module: also a gate for the module's output. */
export interface Modulation extends ScaleAndShift {
  readonly gate: Value;
}

/** Modulations for `count` modules, from the conditioning [n, width]; diffusers' `AdaLayerNormZero`. */
export function modulations(g: Graph, w: Scope, conditioning: Value, count: number, width: number): Modulation[] {
  const parts = g.linearParts(conditioning, w, new Array<number>(3 * count).fill(width)).map((x) => perToken(g, x));
  return Array.from({ length: count }, (_, i) => {
    const [shift, scale, gate] = parts.slice(3 * i, 3 * i + 3);
    return { shift, scale, gate };
  });
}

/**
 * Scale and shift alone; diffusers' `AdaLayerNormContinuous`. One matrix holds both, scale first. The original layout has
 * shift first, and is split into two modules by `originalMmditTensors`.
 */
export function scaleAndShift(g: Graph, w: Scope, conditioning: Value, width: number): ScaleAndShift {
  const [scale, shift] = w.has('scale')
    ? [g.linear(conditioning, w.at('scale'), width), g.linear(conditioning, w.at('shift'), width)]
    : g.linearParts(conditioning, w, [width, width]);
  return { scale: perToken(g, scale), shift: perToken(g, shift) };
}

/** Normalized tokens [n, tokens, width], each scaled by 1 + scale and shifted. */
export function modulated(g: Graph, normal: Value, { scale, shift }: ScaleAndShift): Value {
  return g.add(g.mul(normal, g.add(scale, g.constant([1]))), shift);
}

function perToken(g: Graph, x: Value): Value {
  return g.reshape(x, [x.dims[0], 1, x.dims[1]]);
}
