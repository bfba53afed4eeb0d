import { describe, expect, test, vi } from 'vitest';
import {
  adaptiveProjectedGuidance,
  cfgPpGuidance,
  cfgZeroStar,
  classifierFreeGuidance,
  type Guidance,
  type GuidanceScale,
  withinInterval,
  withRescale,
} from '../src/index.js';
import { figures, guided, positive, positiveOnly, second } from './support.js';

const byScale: Record<string, (scale: GuidanceScale) => Guidance> = {
  'classifier-free': (scale) => classifierFreeGuidance({ scale }),
  rescaled: (scale) => classifierFreeGuidance({ scale, rescale: 0.7 }),
  'CFG-Zero*': (scale) => cfgZeroStar({ scale }),
  APG: (scale) => adaptiveProjectedGuidance({ scale }),
  'APG of diffusers': (scale) => adaptiveProjectedGuidance({ scale, form: 'diffusers' }),
};

describe.each(Object.entries(byScale))('%s', (_, make) => {
  test.each([1, 0.5, 0, -3])('at a scale of %f evaluates only the positive prompt', async (scale) => {
    expect(await guided(make(scale))).toEqual({
      outputs: figures.positive,
      calls: Array(3).fill(['positive']),
    });
  });

  test('above 1 evaluates both in one call', async () => {
    expect((await guided(make(7.5))).calls).toEqual(Array(3).fill(['negative,positive']));
  });

  test('a scale may be a function of the level', async () => {
    const scale = vi.fn(({ timestep }) => (timestep === 1 ? 7.5 : 1));
    expect((await guided(make(scale))).calls).toEqual([['positive'], ['negative,positive'], ['positive']]);
    const { alphas, sigmas } = figures;
    expect(scale.mock.calls).toEqual(alphas.map((alpha, i) => [{ alpha, sigma: sigmas[i], timestep: i }]));
  });

  test('a scale that is not finite is an error', async () => {
    expect(() => make(Number.NaN)).toThrow('scale: must be a finite number or a function of the level, not NaN.');
    await expect(guided(make(() => Infinity))).rejects.toThrow(
      'scale: must return a finite number, but gave Infinity at timestep 0.',
    );
  });
});

describe('several prompts', () => {
  const prompts = (first: number, other: number) => ({
    prompts: [
      { embedding: positive, weight: first },
      { embedding: second, weight: other },
    ],
  });

  test('run in one call with the negative prompt', async () => {
    const { calls } = await guided(classifierFreeGuidance({ scale: 5 }), prompts(1, 1));
    expect(calls).toEqual(Array(3).fill(['negative,positive,second']));
  });

  test('without guidance need the negative prompt only if their weights do not sum to 1', async () => {
    const mixed = await guided(classifierFreeGuidance({ scale: 1 }), prompts(0.9, 0.1));
    expect(mixed.calls).toEqual(Array(3).fill(['positive,second']));
    const want = figures.positive[0].map((value, i) => Math.fround(0.9 * value + 0.1 * figures.second[0][i]));
    for (const [i, value] of want.entries()) expect(mixed.outputs[0][i]).toBeCloseTo(value, 6);

    const summed = await guided(classifierFreeGuidance({ scale: 1, rescale: 0.7 }), prompts(1, 1));
    expect(summed.calls).toEqual(Array(3).fill(['negative,positive,second']));
    const { positive: p, second: s, negative: n } = figures;
    for (const [i, value] of summed.outputs[2].entries()) expect(value).toBeCloseTo(p[2][i] + s[2][i] - n[2][i], 5);
  });
});

describe('an interval', () => {
  const ratios = [14.6, 2, 0.3];
  const cfg = classifierFreeGuidance({ scale: 7.5 });

  test.each([
    ['in the middle', { from: 0.3, to: 5 }, [1]],
    ['including its upper bound, excluding its lower', { from: 2, to: 14.6 }, [0]],
    ['unbounded above', { from: 1 }, [0, 1]],
    ['unbounded below', { to: 1 }, [2]],
    ['unbounded', {}, [0, 1, 2]],
  ])('%s', async (_, interval, inside) => {
    const { outputs, calls } = await guided(withinInterval(cfg, interval), { ratios });
    for (const [i, output] of outputs.entries()) {
      expect(calls[i]).toEqual([inside.includes(i) ? 'negative,positive' : 'positive']);
      if (!inside.includes(i)) expect(output).toEqual(figures.positive[i]);
    }
    const everywhere = await guided(cfg);
    for (const i of inside) expect(outputs[i]).toEqual(everywhere.outputs[i]);
  });

  test('a guidance has state only from inside', async () => {
    const apg = adaptiveProjectedGuidance({ scale: 7.5, momentum: -0.5, form: 'diffusers' });
    const { outputs } = await guided(withinInterval(apg, { to: 1 }), { ratios });
    const fresh = adaptiveProjectedGuidance({ scale: 7.5, form: 'diffusers' });
    expect(outputs[2]).toEqual((await guided(fresh)).outputs[2]);
  });

  test.each([
    [{ from: -1 }, 'from: must be a ratio sigma / alpha of at least 0, not -1.'],
    [{ from: Number.NaN }, 'from: must be'],
    [{ from: 2, to: 2 }, 'to: must be a ratio sigma / alpha above 2, not 2.'],
    [{ to: Number.NaN }, 'to: must be'],
  ])('refuses %o', (interval, message) => {
    expect(() => withinInterval(cfg, interval)).toThrow(message);
  });
});

test('zero-init does not call the model, and rescaling leaves its zeros unchanged', async () => {
  const { outputs, calls } = await guided(withRescale(cfgZeroStar({ scale: 5, zeroInitSteps: 2 }), 1));
  expect(calls).toEqual([[], [], ['negative,positive']]);
  expect(
    outputs
      .slice(0, 2)
      .flat()
      .every((value) => value === 0),
  ).toBe(true);
  expect(outputs[2].every(Number.isFinite)).toBe(true);
});

test('every image starts without state', async () => {
  const guidance = adaptiveProjectedGuidance({ scale: 5, momentum: -0.5 });
  expect(await guided(guidance)).toEqual(await guided(guidance, { prompts: positiveOnly }));
});

test.each<[object, string]>([
  [{ eta: Number.NaN }, 'eta: must be a finite number, not NaN.'],
  [{ normThreshold: 0 }, 'normThreshold: must be a number above 0, not 0.'],
  [{ momentum: Infinity }, 'momentum: must be a finite number, not Infinity.'],
  [{ form: 'other' }, 'form: must be paper or diffusers, not "other".'],
])('adaptive projected guidance refuses %o', (options, message) => {
  expect(() => adaptiveProjectedGuidance({ scale: 5, ...options })).toThrow(message);
});

test('the others refuse impossible options', () => {
  expect(() => cfgZeroStar({ scale: 5, zeroInitSteps: 0.5 })).toThrow('zeroInitSteps: must be a whole number');
  expect(() => cfgPpGuidance({ lambda: Number.NaN })).toThrow('lambda: must be a finite number, not NaN.');
  expect(() => classifierFreeGuidance({ scale: 5, rescale: 1.1 })).toThrow('rescale: must be from 0 to 1, not 1.1.');
});

test('each has the settings to record in images', () => {
  const settings = (guidance: Guidance) => JSON.parse(JSON.stringify(guidance.settings));
  expect(settings(classifierFreeGuidance({ scale: 5 }))).toEqual({ 'CFG scale': 5 });
  expect(settings(classifierFreeGuidance({ scale: () => 5 }))).toEqual({});
  expect(settings(withinInterval(classifierFreeGuidance({ scale: 5, rescale: 0.7 }), { from: 0.3, to: 5 }))).toEqual({
    'CFG scale': 5,
    'CFG Rescale phi': 0.7,
    'Guidance interval': '0.3 to 5',
  });
  expect(settings(adaptiveProjectedGuidance({ scale: 9, normThreshold: 15, momentum: -0.5 }))).toEqual({
    Guidance: 'APG',
    'CFG scale': 9,
    'APG eta': 0,
    'APG norm threshold': 15,
    'APG momentum': -0.5,
  });
  expect(settings(cfgZeroStar({ scale: 5, zeroInitSteps: 1 }))).toEqual({
    Guidance: 'CFG-Zero*',
    'CFG scale': 5,
    'Zero init steps': 1,
  });
  expect(settings(cfgPpGuidance({ lambda: 0.6 }))).toEqual({ Guidance: 'CFG++', 'CFG scale': 0.6 });
});
