import {
  AbortError,
  convertPrediction,
  type NoisePredictor,
  type NoisePredictorInput,
  type Prediction,
  TensorError,
  type TextEmbedding,
  tensor,
  torchCpu,
} from '@sd/core';
import { mockNoisePredictor } from '@sd/core/testing';
import { describe, expect, test, vi } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import {
  classifierFreeGuidance,
  createDenoiser,
  type DenoiserOptions,
  type Guidance,
  type GuidanceInput,
  type ModelCall,
  predictPositive,
} from '../src/index.js';

const shape = [4, 3, 5] as const;
const x0 = torchCpu(1).randn(60);
const noise = torchCpu(2).randn(60);

const text = (value: number): TextEmbedding => ({ hidden: tensor('float32', [2, 1], Float32Array.of(value, value)) });

/** A U-Net with a fixed output, which records its inputs. */
function constantUnet(answer: Float32Array): NoisePredictor & { calls: NoisePredictorInput[] } {
  const calls: NoisePredictorInput[] = [];
  return {
    ...mockNoisePredictor(),
    calls,
    async predict(input) {
      calls.push(input);
      const batch = tensor('float32', [input.sample.dims[0], ...shape]);
      for (let i = 0; i < input.sample.dims[0]; i++) batch.data.set(answer, i * answer.length);
      return batch;
    },
  };
}

/** A U-Net with an output proportional to the sample and to the first value of the text, which records its inputs. */
function proportionalUnet(): NoisePredictor & { calls: NoisePredictorInput[] } {
  const calls: NoisePredictorInput[] = [];
  return {
    ...mockNoisePredictor(),
    calls,
    async predict(input) {
      calls.push(input);
      const { sample, context } = input;
      const size = sample.data.length / sample.dims[0];
      const width = context.data.length / context.dims[0];
      const textValue = (i: number) => context.data[Math.floor(i / size) * width];
      return tensor(
        'float32',
        sample.dims,
        sample.data.map((value, i) => (value * textValue(i)) / 4),
      );
    },
  };
}

function denoiserOf(unet: NoisePredictor, prediction: Prediction, options: Partial<DenoiserOptions> = {}) {
  const guidance = classifierFreeGuidance({ scale: 1 });
  return createDenoiser({
    noisePredictor: unet,
    prediction,
    guidance,
    positive: text(1),
    negative: text(-1),
    shape,
    ...options,
  });
}

const mix = (a: number, b: number) => x0.map((value, i) => a * value + b * noise[i]);

describe('x0 from each kind of prediction', () => {
  const level = { alpha: 0.8, sigma: 0.6, timestep: 321 };
  const answers: Record<Prediction, Float32Array> = {
    epsilon: noise,
    v: mix(-level.sigma, level.alpha),
    sample: x0,
    flow: mix(-1, 1),
  };

  test.each(['epsilon', 'v', 'sample'] as const)('%s, variance preserving', async (prediction) => {
    const unet = constantUnet(answers[prediction]);
    const x = mix(level.alpha, level.sigma);
    expect(relativeError(await denoiserOf(unet, prediction)(x, level), x0)).toBeLessThan(1e-6);
    expect(unet.calls).toHaveLength(1);
    expect(unet.calls[0]).toMatchObject({ timestep: 321, sample: { dims: [1, ...shape], data: x } });
  });

  test.each(['epsilon', 'v', 'sample'] as const)('%s, variance exploding', async (prediction) => {
    const unet = constantUnet(answers[prediction]);
    // The same point of the trajectory, with x and sigma divided by alpha.
    const exploding = { alpha: 1, sigma: level.sigma / level.alpha, timestep: 321 };
    expect(relativeError(await denoiserOf(unet, prediction)(mix(1, exploding.sigma), exploding), x0)).toBeLessThan(
      1e-6,
    );
    expect(relativeError(unet.calls[0].sample.data, mix(level.alpha, level.sigma))).toBeLessThan(1e-6);
  });

  test.each([
    [0.5, true],
    [0.5, false],
    [1, false],
  ])('with EDM’s preconditioning, for data of deviation %f, negative %s', async (sigmaData, negative) => {
    // arXiv 2206.00364, table 1.
    const s = 2.5;
    const noisy = mix(1, s);
    const norm = Math.hypot(s, sigmaData);
    const [skip, out, scale] = [sigmaData ** 2 / norm ** 2, (s * sigmaData) / norm, 1 / norm];
    const sign = negative ? 1 : -1;
    const unet = constantUnet(x0.map((value, i) => (sign * (value - skip * noisy[i])) / out));
    const denoise = denoiserOf(unet, 'v', { preconditioning: { sigmaData, negative } });
    for (const alpha of [1, scale]) {
      const x = noisy.map((value) => alpha * value);
      const got = await denoise(x, { alpha, sigma: alpha * s, timestep: 0.25 * Math.log(s) });
      expect(relativeError(got, x0)).toBeLessThan(1e-6);
      expect(
        relativeError(
          unet.calls.at(-1)!.sample.data,
          noisy.map((value) => scale * value),
        ),
      ).toBeLessThan(1e-6);
    }
  });

  test('flow, without scaling of the sample', async () => {
    const unet = constantUnet(answers.flow);
    const x = mix(0.3, 0.7);
    expect(
      relativeError(await denoiserOf(unet, 'flow')(x, { alpha: 0.3, sigma: 0.7, timestep: 700 }), x0),
    ).toBeLessThan(1e-6);
    expect(unet.calls[0].sample.data).toEqual(x);
  });

  test('v at zero terminal SNR, from pure noise', async () => {
    const terminal = { alpha: 0, sigma: 1, timestep: 999 };
    const denoise = denoiserOf(constantUnet(x0.map((value) => -value)), 'v');
    expect(relativeError(await denoise(noise, terminal), x0)).toBeLessThan(1e-6);
  });
});

test('both prompts run as one batch on the same sample, the negative first', async () => {
  const unet = constantUnet(noise);
  const denoise = denoiserOf(unet, 'epsilon', { guidance: classifierFreeGuidance({ scale: 3 }) });
  const level = { alpha: 0.8, sigma: 0.6, timestep: 5.5 };
  const x = mix(0.8, 0.6);
  expect(relativeError(await denoise(x, level), x0)).toBeLessThan(1e-6);
  expect(unet.calls).toHaveLength(1);
  const [{ sample, context, timestep }] = unet.calls;
  expect([sample.dims, context.dims, timestep]).toEqual([[2, ...shape], [2, 2, 1], 5.5]);
  expect([...context.data]).toEqual([-1, -1, 1, 1]);
  expect(sample.data).toEqual(Float32Array.from([...x, ...x]));
});

test('guidance gets the sample and level as the model sees them, and the prediction type', async () => {
  const seen: Pick<GuidanceInput, 'x' | 'level' | 'prediction'>[] = [];
  const exploding = { alpha: 1, sigma: 0.75, timestep: 321 };
  const guidance: Guidance = () => async (input) => {
    const { x, level, prediction } = input;
    seen.push({ x, level, prediction });
    return predictPositive(input);
  };
  const v = mix(-0.6, 0.8);
  await denoiserOf(constantUnet(v), 'v', { guidance })(mix(1, 0.75), exploding);
  expect(seen).toMatchObject([{ prediction: 'v', level: { timestep: 321 } }]);
  const [{ x, level, prediction }] = seen;
  expect(level.alpha).toBeCloseTo(0.8, 12);
  expect(level.sigma).toBeCloseTo(0.6, 12);
  expect(relativeError(convertPrediction(v, prediction, 'sample', x, level), x0)).toBeLessThan(1e-6);
});

test('a denoiser makes one guide', async () => {
  const guidance = vi.fn(() => predictPositive);
  const level = { alpha: 0.8, sigma: 0.6, timestep: 1 };
  const denoise = denoiserOf(constantUnet(noise), 'epsilon', { guidance });
  await denoise(x0, level);
  await denoise(x0, level);
  denoiserOf(constantUnet(noise), 'epsilon', { guidance });
  expect(guidance).toHaveBeenCalledTimes(2);
});

describe('texts per call', () => {
  const level = { alpha: 0.8, sigma: 0.6, timestep: 1 };
  const positive = [1, 2, 3].map((value) => ({ embedding: text(value), weight: 1 }));
  const guidance = classifierFreeGuidance({ scale: 3 });

  test.each([
    [undefined, [4]],
    [4, [4]],
    [3, [3, 1]],
    [2, [2, 2]],
    [1, [1, 1, 1, 1]],
  ])('%s: calls of %o', async (batch, sizes) => {
    const unet = proportionalUnet();
    const got = await denoiserOf(unet, 'epsilon', { guidance, positive, batch })(x0, level);
    expect(unet.calls.map(({ context }) => context.dims[0])).toEqual(sizes);
    expect(unet.calls.flatMap(({ context }) => [...context.data])).toEqual([-1, -1, 1, 1, 2, 2, 3, 3]);
    expect(got).toEqual(await denoiserOf(proportionalUnet(), 'epsilon', { guidance, positive })(x0, level));
  });

  test.each([0, 1.5, -1, Number.NaN])('refuses %f', (batch) => {
    expect(() => denoiserOf(mockNoisePredictor(), 'epsilon', { batch })).toThrow(
      'batch: must be a whole number of at least 1',
    );
  });
});

describe('unconditional x0', () => {
  const exploding = { alpha: 1, sigma: 0.75, timestep: 1 };
  const x = mix(1, 0.75);

  test.each([undefined, 1])('is free right after the guided one, in batches of %s', async (batch) => {
    const unet = proportionalUnet();
    const denoise = denoiserOf(unet, 'v', { guidance: classifierFreeGuidance({ scale: 3 }), batch });
    const guided = await denoise(x, exploding);
    const count = unet.calls.length;
    const got = await denoise.unconditional(x, exploding);
    expect(unet.calls).toHaveLength(count);
    const alone = denoiserOf(proportionalUnet(), 'v', { positive: text(-1) });
    expect(got).toEqual(await alone(x, exploding));
    expect(got).not.toEqual(guided);
  });

  test('calls the model for any other sample or level', async () => {
    const unet = proportionalUnet();
    const denoise = denoiserOf(unet, 'v', { guidance: classifierFreeGuidance({ scale: 3 }) });
    await denoise(x, exploding);
    const got = await denoise.unconditional(x0, exploding);
    expect(unet.calls).toHaveLength(2);
    expect([...unet.calls[1].context.data]).toEqual([-1, -1]);
    expect(got).toEqual(await denoiserOf(proportionalUnet(), 'v', { positive: text(-1) })(x0, exploding));
  });

  test('is the guided one if the negative prompt was not evaluated', async () => {
    const unet = proportionalUnet();
    const denoise = denoiserOf(unet, 'v');
    const guided = await denoise(x, exploding);
    expect(await denoise.unconditional(x, exploding)).toEqual(guided);
    expect(unet.calls).toHaveLength(1);
  });
});

test('extra channels are zeros for withoutImage, and hidden from conditions', async () => {
  const unet = constantUnet(noise);
  const extraChannels = tensor('float32', [1, 3, 5], new Float32Array(15).fill(7));
  const texts: TextEmbedding[][] = [];
  const samples: ModelCall['sample'][] = [];
  const denoise = denoiserOf(unet, 'epsilon', {
    guidance: () => async (input) =>
      (await input.predict([input.positive[0].embedding, input.negative, input.withoutImage!]))[2],
    extraChannels,
    conditions: [
      (call) => {
        texts.push([...call.texts]);
        samples.push(call.sample);
        return {};
      },
    ],
  });
  await denoise(x0, { alpha: 0.8, sigma: 0.6, timestep: 5 });
  const [{ sample, context }] = unet.calls;
  expect(sample.dims).toEqual([3, 5, 3, 5]);
  const channels = [0, 1, 2].map((i) => [...sample.data.subarray(i * 75 + 60, (i + 1) * 75)]);
  expect(channels).toEqual([7, 7, 0].map((value) => Array(15).fill(value)));
  expect([...context.data]).toEqual([1, 1, -1, -1, -1, -1]);
  expect(texts[0][2]).toBe(texts[0][1]);
  expect(samples[0].dims).toEqual([3, 4, 3, 5]);
  for (let i = 0; i < 3; i++) {
    expect(samples[0].data.subarray(i * 60, (i + 1) * 60)).toEqual(sample.data.subarray(i * 75, i * 75 + 60));
  }
  expect(
    await denoiserOf(unet, 'epsilon', {
      guidance: () => async (input) => {
        expect(input.withoutImage).toBeUndefined();
        return predictPositive(input);
      },
    })(x0, { alpha: 0.8, sigma: 0.6, timestep: 5 }),
  ).toHaveLength(60);
});

describe('a failing model', () => {
  const level = { alpha: 0.8, sigma: 0.6, timestep: 42 };

  test('NaN is an error that names the timestep and the index', async () => {
    const broken = noise.with(7, Number.NaN);
    const run = denoiserOf(constantUnet(broken), 'epsilon')(x0, level);
    await expect(run).rejects.toBeInstanceOf(TensorError);
    await expect(run).rejects.toMatchObject({
      code: 'not-finite',
      message: 'The U-Net’s output at timestep 42 is NaN at index 7 of 60.',
    });
  });

  test('an output of another shape is an error', async () => {
    const unet = { ...mockNoisePredictor(), predict: async () => tensor('float32', [1, 4, 3, 6]) };
    await expect(denoiserOf(unet, 'epsilon')(x0, level)).rejects.toThrow(
      'The U-Net’s output must be float32 [1, 4, 3, 5], not float32 [1, 4, 3, 6] with 72 values.',
    );
  });

  test('an aborted signal reaches it', async () => {
    const denoise = denoiserOf(mockNoisePredictor(), 'epsilon', { signal: AbortSignal.abort() });
    await expect(denoise(x0, level)).rejects.toBeInstanceOf(AbortError);
  });
});
