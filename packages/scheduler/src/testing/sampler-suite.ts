import type { NoiseLevel, Sampler, SamplerStep } from '@sd/core';
import { type ConformanceCase, conforms, rejection } from '@sd/core/testing';
import { cleanLevel, flowLevel, preservingLevel } from '../level.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import { measureOrder } from './convergence.js';
import { constantDenoiser, mixtureDenoiser, testNoise } from './denoisers.js';

export interface SamplerSuiteOptions {
  /** The expected order of convergence of a deterministic sampler. Adds a case that measures it. */
  readonly order?: number;
}

const image = Float32Array.from([0.5, -0.25, 1, -1, 0.125, 0.75]);
const preserving = [...karrasSigmas(8, 0.05, 12).map((ratio, i) => preservingLevel(ratio, 999 - 120 * i)), cleanLevel];
const flow = [...[0.99, 0.8, 0.6, 0.4, 0.2].map((sigma) => flowLevel(sigma, 1000 * sigma)), cleanLevel];

/**
 * The cases that every sampler must pass: among others, that it ends at the clean image, keeps runs independent, stops when
 * aborted, and draws noise only from its source. `make` returns the sampler to test; since samplers hold no state of a run,
 * it may be the same one each time.
 */
export function samplerSuite(make: () => Sampler, { order }: SamplerSuiteOptions = {}): ConformanceCase[] {
  const cases: ConformanceCase[] = [
    { name: 'yields at least once a step, and ends at the last level', run: () => endsAtTheLastLevel(make()) },
    { name: 'ends at the image that the denoiser predicts', run: () => endsAtTheImage(make()) },
    { name: 'does not change the sample that it is given', run: () => leavesItsInput(make()) },
    { name: 'keeps concurrent runs independent', run: () => keepsRunsApart(make()) },
    { name: 'draws noise only from its source', run: () => repeats(make()) },
    { name: 'starts at alpha 0, and on the levels of a flow', run: () => startsAnywhere(make()) },
    { name: 'takes a single step', run: () => takesOneStep(make()) },
    { name: 'does not call the model once it is aborted', run: () => stops(make()) },
    { name: "passes on the model's errors", run: () => passesOnErrors(make()) },
  ];
  if (order !== undefined) {
    cases.push({ name: `converges with order ${order}`, run: () => converges(make(), order) });
  }
  return cases;
}

async function collect(
  sampler: Sampler,
  levels: readonly NoiseLevel[],
  denoise = mixtureDenoiser(),
  start: Float32Array = testNoise(1, image.length)(),
): Promise<SamplerStep[]> {
  const steps: SamplerStep[] = [];
  for await (const step of sampler(denoise, start, levels, { noise: testNoise(2, image.length) })) steps.push(step);
  return steps;
}

async function endsAtTheLastLevel(sampler: Sampler): Promise<void> {
  const steps = await collect(sampler, preserving);
  conforms(steps.length >= preserving.length - 1, `Yields ${steps.length} times for ${preserving.length - 1} steps.`);
  const last = steps.at(-1)!.level;
  conforms(last.sigma === 0 && last.alpha === 1, `The last step is at alpha ${last.alpha}, sigma ${last.sigma}.`);
  for (const { x, denoised } of steps) {
    conforms(
      x.length === image.length && denoised.length === image.length,
      'A step has a different size than the sample.',
    );
    conforms(x.every(Number.isFinite), 'A step is not finite.');
  }
}

async function endsAtTheImage(sampler: Sampler): Promise<void> {
  for (const levels of [preserving, flow]) {
    const steps = await collect(sampler, levels, constantDenoiser(image));
    const { x } = steps.at(-1)!;
    conforms(distance(x, image) < 1e-3, `Ends ${distance(x, image)} away from the predicted image.`);
  }
}

async function leavesItsInput(sampler: Sampler): Promise<void> {
  const start = testNoise(3, image.length)();
  const copy = start.slice();
  const steps = await collect(sampler, preserving, mixtureDenoiser(), start);
  conforms(distance(start, copy) === 0, 'The given sample was changed.');
  conforms(
    new Set(steps.map(({ x }) => x.buffer)).size === steps.length,
    'Steps share an array, but receivers may keep them.',
  );
}

async function keepsRunsApart(sampler: Sampler): Promise<void> {
  const options = () => ({ noise: testNoise(2, image.length) });
  const [a, b] = [testNoise(4, image.length)(), testNoise(5, image.length)()];
  const first = sampler(mixtureDenoiser(), a, preserving, options());
  const second = sampler(mixtureDenoiser(), b, preserving, options());
  let results: SamplerStep[] = [];
  for (;;) {
    const steps = [await first.next(), await second.next()];
    if (steps.some(({ done }) => done)) break;
    results = steps.map(({ value }) => value as SamplerStep);
  }
  const alone = (await collect(sampler, preserving, mixtureDenoiser(), b)).at(-1)!;
  conforms(distance(results[1].x, alone.x) === 0, 'A concurrent run changes the result.');
}

async function repeats(sampler: Sampler): Promise<void> {
  const [first, second] = [await collect(sampler, preserving), await collect(sampler, preserving)];
  conforms(distance(first.at(-1)!.x, second.at(-1)!.x) === 0, 'The same noise gave another result.');
}

async function startsAnywhere(sampler: Sampler): Promise<void> {
  const starts = [
    [{ alpha: 0, sigma: 1, timestep: 999 }, ...preserving.slice(1)],
    [flowLevel(1, 1000), ...flow.slice(1)],
  ];
  for (const levels of starts) {
    const { x } = (await collect(sampler, levels)).at(-1)!;
    conforms(
      x.every((value) => Math.abs(value) < 100),
      `Does not stay finite from alpha 0: [${x}].`,
    );
  }
}

async function takesOneStep(sampler: Sampler): Promise<void> {
  const steps = await collect(sampler, [preserving[0], cleanLevel], constantDenoiser(image));
  conforms(distance(steps.at(-1)!.x, image) < 1e-3, 'A single step does not end at the image.');
}

async function stops(sampler: Sampler): Promise<void> {
  for (const stopAt of [0, 1, 3]) {
    const controller = new AbortController();
    let calls = 0;
    if (stopAt === 0) controller.abort();
    const counting = async (x: Float32Array, level: NoiseLevel) => {
      calls++;
      if (calls === stopAt) controller.abort();
      return mixtureDenoiser()(x, level);
    };
    const options = { noise: testNoise(2, image.length), signal: controller.signal };
    const error = await rejection(`A run aborted in call ${stopAt}`, async () => {
      for await (const _ of sampler(counting, image.slice(), preserving, options));
    });
    conforms((error as Error)?.name === 'AbortError', `Rejects with ${error}, not with an AbortError.`);
    conforms(calls === stopAt, `Called the model ${calls} times, though aborted in call ${stopAt}.`);
  }
}

async function passesOnErrors(sampler: Sampler): Promise<void> {
  const failure = new Error('the model failed');
  const error = await rejection('A run with a failing model', () =>
    collect(sampler, preserving, () => Promise.reject(failure)),
  );
  conforms(error === failure, `Rejects with ${error}, not with the model's error.`);
}

async function converges(sampler: Sampler, order: number): Promise<void> {
  const measured = await measureOrder(sampler);
  conforms(measured > order - 0.35, `Converges with order ${measured.toFixed(2)}, not ${order}.`);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}
