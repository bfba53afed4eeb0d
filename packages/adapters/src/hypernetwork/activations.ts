import { show, UnsupportedError } from '@sd/core';
import type { Graph, Value } from '@sd/graph';

type Activation = (g: Graph, x: Value) => Value;

const operator =
  (opType: string, attributes: Readonly<Record<string, number>> = {}): Activation =>
  (g, x) =>
    g.op(opType, [x], x.dims, attributes);

const clipped =
  (low: number, high: number): Activation =>
  (g, x) =>
    g.op('Clip', [x, g.constant([low], []), g.constant([high], [])], x.dims);

/**
 * Activations by the names that A1111 gives them: its own short ones, and the classes of `torch.nn.modules.activation` in
 * lower case, with torch's defaults. Its `swish` is torch's Hardswish.
 */
const activations: Readonly<Record<string, Activation>> = {
  linear: (_, x) => x,
  relu: operator('Relu'),
  relu6: clipped(0, 6),
  leakyrelu: operator('LeakyRelu', { alpha: 0.01 }),
  elu: operator('Elu'),
  celu: operator('Celu'),
  selu: operator('Selu'),
  swish: operator('HardSwish'),
  hardswish: operator('HardSwish'),
  hardsigmoid: operator('HardSigmoid', { alpha: 1 / 6, beta: 0.5 }),
  hardtanh: clipped(-1, 1),
  tanh: operator('Tanh'),
  tanhshrink: (g, x) => g.op('Sub', [x, g.op('Tanh', [x], x.dims)], x.dims),
  sigmoid: operator('Sigmoid'),
  logsigmoid: (g, x) => g.op('Log', [g.op('Sigmoid', [x], x.dims)], x.dims),
  silu: (g, x) => g.silu(x),
  gelu: (g, x) => g.gelu(x),
  mish: operator('Mish'),
  softplus: operator('Softplus'),
  softsign: operator('Softsign'),
};

/** Throws an UnsupportedError that lists the names that there are. */
export function activationNamed(file: string, name: string): Activation {
  if (Object.hasOwn(activations, name)) return activations[name];
  throw new UnsupportedError(
    `${file}: the activation is ${show(name)}; this version supports ${Object.keys(activations).join(', ')}.`,
  );
}
