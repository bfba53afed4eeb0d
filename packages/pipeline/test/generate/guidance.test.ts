import type { NoisePredictorInput, Scheduler } from '@sd/core';
import {
  adaptiveProjectedGuidance,
  cfgPpGuidance,
  classifierFreeGuidance,
  type Guidance,
  predictPositive,
  withinInterval,
} from '@sd/guidance';
import { dpmpp2mCfgPp, euler, eulerCfgPp } from '@sd/scheduler';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { largestDifference } from '../../../image/test/support.js';
import { createPipeline, type GenerateOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { mockStages } from '../support.js';

describe('a request', () => {
  const stages = mockStages();
  const encode = vi.spyOn(stages.textEncoders[0].tokenizer, 'encode');
  const mock = createPipeline(stages);
  const base = { prompt: 'a car', negativePrompt: 'grey', steps: 2, seed: 1 };
  const recordOf = async (options: Partial<GenerateOptions>) => {
    encode.mockClear();
    const { images, warnings } = await mock.generate({ ...base, ...options });
    return { warnings, encoded: encode.mock.calls.map(([text]) => text), ...images[0].parameters! };
  };

  test('calls its guidance once per image, with both prompts', async () => {
    const guide = vi.fn(predictPositive);
    const guidance = vi.fn(() => guide);
    const { encoded, settings } = await recordOf({ guidance, count: 2 });
    expect(guidance).toHaveBeenCalledTimes(2);
    expect(guide).toHaveBeenCalledTimes(4);
    expect(encoded).toEqual(['a car', 'grey']);
    expect(settings).not.toHaveProperty('CFG scale');
  });

  test('records its guidance in the image', async () => {
    const guidance = withinInterval(classifierFreeGuidance({ scale: 3, rescale: 0.7 }), { from: 0.3, to: 5 });
    expect((await recordOf({ guidance })).settings).toMatchObject({
      'CFG scale': 3,
      'CFG Rescale phi': 0.7,
      'Guidance interval': '0.3 to 5',
    });
    expect((await recordOf({ guidanceScale: 3, guidanceRescale: 0.7 })).settings).toMatchObject({
      'CFG scale': 3,
      'CFG Rescale phi': 0.7,
    });
  });

  test.each(['guidanceScale', 'guidanceRescale'])('refuses %s with a custom guidance', async (option) => {
    const options = { ...base, guidance: () => predictPositive, [option]: 0.5 };
    await expect(mock.generate(options)).rejects.toMatchObject({ code: 'invalid-option', option });
  });

  test('encodes several prompts, names those that are too long, and records them in A1111’s syntax', async () => {
    const prompt = [{ text: 'a lake', weight: 0.7 }, { text: 'word '.repeat(90).trim() }, { text: 'fog', weight: -1 }];
    const record = await recordOf({ prompt, guidanceScale: 1 });
    expect(record.encoded).toEqual([...prompt.map(({ text }) => text), 'grey']);
    expect(record.warnings.map(({ message }) => message.split(' is ')[0])).toEqual(['prompt[1]']);
    expect(record.prompt).toBe(`a lake :0.7 AND ${prompt[1].text} AND fog :-1`);
  });
});

describe('with the embedded model', () => {
  let model: Pipeline;
  let sd: Pipeline;
  const inputs: NoisePredictorInput[] = [];
  beforeAll(async () => {
    model = await loadPipeline();
    const { noisePredictor } = model.stages;
    const counted = {
      ...noisePredictor,
      predict: (...given: Parameters<typeof noisePredictor.predict>) => {
        inputs.push(given[0]);
        return noisePredictor.predict(...given);
      },
    };
    sd = createPipeline({ ...model.stages, noisePredictor: counted });
  });
  afterAll(() => model.dispose());

  const stepping = (sampler: ReturnType<typeof euler>): Scheduler => {
    const { scheduler } = sd.stages;
    return { ...scheduler, plan: (steps) => ({ ...scheduler.plan(steps), sampler, stepCount: steps }) };
  };
  async function latentsOf(options: Partial<GenerateOptions>): Promise<Float32Array> {
    inputs.length = 0;
    let last = new Float32Array();
    const onStep: GenerateOptions['onStep'] = ({ latents }) => {
      last = Float32Array.from(latents.data);
    };
    await sd.generate({ prompt: 'a blue car on a road', steps: 6, seed: 1, onStep, ...options });
    return last;
  }

  test.each([
    ['Euler', euler, eulerCfgPp],
    ['DPM++ 2M', undefined, dpmpp2mCfgPp],
  ])('CFG++ with %s takes its noise from the negative prompt, without further calls', async (_, plain, make) => {
    const scheduler = stepping(make());
    const guidance = cfgPpGuidance({ lambda: 0.6 });
    const withCfgPp = await latentsOf({ scheduler, guidance });
    expect(inputs.map(({ sample }) => sample.dims[0])).toEqual(Array(6).fill(2));
    expect(withCfgPp.every(Number.isFinite)).toBe(true);
    expect(Math.max(...withCfgPp.map(Math.abs))).toBeLessThan(10);
    if (plain === undefined) return;
    const without = await latentsOf({ scheduler: stepping(plain()), guidance });
    expect(largestDifference(withCfgPp, without)).toBeGreaterThan(0.1);
    // Without a negative prompt to take the noise from, it is Euler's method.
    const alone = await latentsOf({ scheduler, guidanceScale: 1 });
    const eulers = await latentsOf({ scheduler: stepping(plain()), guidanceScale: 1 });
    expect(largestDifference(alone, eulers)).toBeLessThan(1e-4);
  });

  test('an interval predicts with the negative prompt only where it guides', async () => {
    const guidance = withinInterval(classifierFreeGuidance({ scale: 5 }), { from: 0.5, to: 5 });
    await latentsOf({ guidance });
    const { levels } = sd.stages.scheduler.plan(6);
    const ratios = levels.slice(0, 6).map(({ alpha, sigma }) => sigma / alpha);
    const want = ratios.map((ratio) => (ratio > 0.5 && ratio <= 5 ? 2 : 1));
    expect(new Set(want).size).toBe(2);
    expect(inputs.map(({ sample }) => sample.dims[0])).toEqual(want);
  });

  test.each<[string, Guidance]>([
    ['adaptive projected', adaptiveProjectedGuidance({ scale: 5, normThreshold: 15, momentum: -0.5 })],
    ['classifier-free', classifierFreeGuidance({ scale: 5 })],
  ])('an image with %s guidance does not depend on those before it', async (_, guidance) => {
    const second = await latentsOf({ guidance, count: 2 });
    expect(await latentsOf({ guidance, seed: 2 })).toEqual(second);
    expect(second.every(Number.isFinite)).toBe(true);
  });

  test('a prompt given twice at half weight is the prompt', async () => {
    const text = 'a blue car on a road';
    const halves = Array(2).fill({ text, weight: 0.5 });
    const whole = await latentsOf({ guidanceScale: 5 });
    expect(largestDifference(await latentsOf({ prompt: halves, guidanceScale: 5 }), whole)).toBeLessThan(1e-3);
    const other = [{ text }, { text: 'snow', weight: 0.5 }];
    expect(largestDifference(await latentsOf({ prompt: other, guidanceScale: 5 }), whole)).toBeGreaterThan(0.1);
  });
});
