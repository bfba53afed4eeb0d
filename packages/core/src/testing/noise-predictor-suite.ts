import { type ConformanceCase, conforms, rejection, withStage } from '../conformance.js';
import { AbortError } from '../errors.js';
import type { Conditions, NoisePredictor } from '../stages.js';
import { type Tensor, tensor } from '../tensor.js';

export interface NoisePredictorSuiteOptions {
  create(): Promise<NoisePredictor> | NoisePredictor;
  /** Width of the text embeddings that it takes. */
  readonly contextWidth: number;
  /** The conditions that it needs besides text, for a batch of this many texts. */
  readonly conditions?: (batch: number) => Conditions;
  /** The sides of its latents must be multiples of this; any size by default. */
  readonly multiple?: number;
}

/** What every U-Net stage must do, as cases for any test runner. */
export function noisePredictorSuite({
  create,
  contextWidth,
  conditions,
  multiple = 1,
}: NoisePredictorSuiteOptions): ConformanceCase[] {
  const inputFor = (unet: NoisePredictor, [batch, height, width]: readonly number[]) => ({
    sample: waves([batch, unet.inChannels, height, width]),
    timestep: 500,
    context: waves([batch, 7, contextWidth]),
    ...(conditions && { conditions: conditions(batch) }),
  });
  const withUnet = (run: (unet: NoisePredictor) => Promise<void>) => withStage(create, run);
  return [
    ...[
      [1, 8, 8],
      [2, 8, 8],
      [1, 8, 12],
      [1, 9 * multiple, 10 * multiple],
    ].map((shape) => ({
      name: `predicts for a batch of ${shape[0]}, ${shape[1]} x ${shape[2]}`,
      run: () =>
        withUnet(async (unet) => {
          const { type, dims, data } = await unet.predict(inputFor(unet, shape));
          const wanted = [shape[0], unet.outChannels, shape[1], shape[2]];
          conforms(
            type === 'float32' && String(dims) === String(wanted),
            `The output must be float32 [${wanted}], not ${type} [${dims}].`,
          );
          conforms(data.every(Number.isFinite), 'The output must be finite.');
        }),
    })),
    {
      name: 'gives the same output for the same input',
      run: () =>
        withUnet(async (unet) => {
          const [one, two] = [
            await unet.predict(inputFor(unet, [1, 8, 8])),
            await unet.predict(inputFor(unet, [1, 8, 8])),
          ];
          conforms(
            one.data.every((value, i) => value === two.data[i]),
            'Two runs on one input must agree.',
          );
        }),
    },
    {
      name: 'leaves its inputs as they were',
      run: () =>
        withUnet(async (unet) => {
          const input = inputFor(unet, [1, 8, 8]);
          const before = input.sample.data.slice();
          await unet.predict(input);
          const same =
            input.sample.data.length === before.length && before.every((value, i) => value === input.sample.data[i]);
          conforms(same, 'The sample must be neither changed nor detached.');
        }),
    },
    {
      name: 'rejects with an AbortError when aborted, and works afterwards',
      run: () =>
        withUnet(async (unet) => {
          const input = inputFor(unet, [1, 8, 8]);
          const error = await rejection('An aborted run', () => unet.predict(input, { signal: AbortSignal.abort() }));
          conforms((error as Error).name === new AbortError().name, `The error must be an AbortError, not ${error}.`);
          await unet.predict(input);
        }),
    },
  ];
}

/** A U-Net that predicts a tenth of its sample, whatever the text. */
export function mockNoisePredictor({
  channels = 4,
  sampleSize = 8,
}: {
  channels?: number;
  sampleSize?: number;
} = {}): NoisePredictor {
  return {
    inChannels: channels,
    outChannels: channels,
    sampleSize,
    async predict({ sample }, { signal } = {}) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      return tensor(
        'float32',
        sample.dims,
        sample.data.map((value) => value / 10),
      );
    },
  };
}

function waves(dims: readonly number[]): Tensor<'float32'> {
  const value = tensor('float32', dims);
  value.data.forEach((_, i) => {
    value.data[i] = Math.sin(1.7 * i);
  });
  return value;
}
