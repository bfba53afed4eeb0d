import { type Conditions, expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';

/** How far a pass of the sampler is: the current step and call of the model, both from 0, and their totals. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly call: number;
  readonly calls: number;
}

/** Progress of a denoiser whose caller does not count calls: the first and only one. */
export const singleCall: Progress = { step: 0, steps: 1, call: 0, calls: 1 };

/** One call of the model, as conditions see it. */
export interface ModelCall {
  /** The sample as the model sees it but without extra channels, once for each text: [n, channels, height / 8, width / 8]. */
  readonly sample: Tensor<'float32'>;
  readonly timestep: number;
  readonly progress: Progress;
  /** The n texts of this call, and their hidden states, [n, tokens, width]. */
  readonly texts: readonly TextEmbedding[];
  readonly context: Tensor<'float32'>;
  /** The negative prompt, which may not be among the texts of this call. */
  readonly negative: TextEmbedding;
}

/** Computes inputs of the model other than sample, timestep and context, by name, for one call. */
export type Condition = (call: ModelCall) => Conditions | Promise<Conditions>;

/** Evaluates all conditions for one call, in order; inputs of the same name are added. Undefined if there are none. */
export async function conditionsOf(conditions: readonly Condition[], call: ModelCall): Promise<Conditions | undefined> {
  if (conditions.length === 0) return undefined;
  const all: Record<string, Tensor<'float32'>> = {};
  for (const condition of conditions) {
    for (const [name, value] of Object.entries(await condition(call))) {
      all[name] = Object.hasOwn(all, name) ? sum(name, all[name], value) : value;
    }
  }
  return all;
}

function sum(name: string, a: Tensor<'float32'>, b: Tensor<'float32'>): Tensor<'float32'> {
  expectTensor(`The model’s ${name}, given by several conditions,`, b, 'float32', a.dims);
  return tensor(
    'float32',
    a.dims,
    a.data.map((value, i) => value + b.data[i]),
  );
}
