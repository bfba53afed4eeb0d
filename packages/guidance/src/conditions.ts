import { type Conditions, expectTensor, type Tensor, type TextEmbedding, tensor } from '@sd/core';

/** How far a pass of the sampler is: the step that is being taken and the call of the model, both from 0, and of how many. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly call: number;
  readonly calls: number;
}

/** The first call of a pass of one step: for a denoiser that nobody counts for. */
export const singleCall: Progress = { step: 0, steps: 1, call: 0, calls: 1 };

/** One call of the model, as what conditions it sees it. */
export interface ModelCall {
  /**
   * The sample as the model sees it, without what some are shown beside it, once for each text: [n, channels, height / 8,
   * width / 8].
   */
  readonly sample: Tensor<'float32'>;
  readonly timestep: number;
  readonly progress: Progress;
  /** The texts of the call, n of them, and their hidden states, [n, tokens, width]. */
  readonly texts: readonly TextEmbedding[];
  readonly context: Tensor<'float32'>;
  /** Which text is the negative prompt; it need not be in the call. */
  readonly negative: TextEmbedding;
}

/** What conditions the model beside its text: named inputs for one call of it. */
export type Condition = (call: ModelCall) => Conditions | Promise<Conditions>;

/** What all conditions say of one call, asked one after the other; undefined where there is none. */
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
  expectTensor(`The model’s ${name}, given twice,`, b, 'float32', a.dims);
  return tensor(
    'float32',
    a.dims,
    a.data.map((value, i) => value + b.data[i]),
  );
}
