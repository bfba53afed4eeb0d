import type { NoiseLevel, Sampler, SamplerStep } from '@sd/core';
import { type ConformanceCase, conforms, rejection } from '@sd/core/testing';
import { cleanLevel, flowLevel, preservingLevel } from '../level.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import { measureOrder } from './convergence.js';
import { constantDenoiser, mixtureDenoiser, testNoise } from './denoisers.js';

export interface SamplerSuiteOptions {
  /** The order of convergence that a deterministic sampler claims: adds a case that measures it. */
  readonly order?: number;
}

const picture = Float32Array.from([0.5, -0.25, 1, -1, 0.125, 0.75]);
const preserving = [...karrasSigmas(8, 0.05, 12).map((ratio, i) => preservingLevel(ratio, 999 - 120 * i)), cleanLevel];
const flow = [...[0.99, 0.8, 0.6, 0.4, 0.2].map((sigma) => flowLevel(sigma, 1000 * sigma)), cleanLevel];

/**
 * The cases that a sampler must pass to be one: that it ends at the picture, keeps its runs apart, stops when told to, and
 * takes noise from nowhere but its source. `make` gives the sampler to test; samplers hold no run's state, so it may be
 * the same one.
 */
export function samplerSuite(make: () => Sampler, { order }: SamplerSuiteOptions = {}): ConformanceCase[] {
  const cases: ConformanceCase[] = [
    { name: 'yields at least once a step, and ends at the last level', run: () => endsAtTheLastLevel(make()) },
    { name: 'ends at the picture that the denoiser sees', run: () => endsAtThePicture(make()) },
    { name: 'leaves the sample that it is given alone', run: () => leavesItsInput(make()) },
    { name: 'keeps runs apart that go on at once', run: () => keepsRunsApart(make()) },
    { name: 'takes noise from its source alone', run: () => repeats(make()) },
    { name: 'starts where alpha is 0, and on the levels of a flow', run: () => startsAnywhere(make()) },
    { name: 'takes a single step', run: () => takesOneStep(make()) },
    { name: 'does not call the model once it is aborted', run: () => stops(make()) },
    { name: 'hands on what the model throws', run: () => handsOn(make()) },
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
  start: Float32Array = testNoise(1, picture.length)(),
): Promise<SamplerStep[]> {
  const steps: SamplerStep[] = [];
  for await (const step of sampler(denoise, start, levels, { noise: testNoise(2, picture.length) })) steps.push(step);
  return steps;
}

async function endsAtTheLastLevel(sampler: Sampler): Promise<void> {
  const steps = await collect(sampler, preserving);
  conforms(steps.length >= preserving.length - 1, `${steps.length} yields for ${preserving.length - 1} steps.`);
  const last = steps.at(-1)!.level;
  conforms(last.sigma === 0 && last.alpha === 1, `The last step is at alpha ${last.alpha}, sigma ${last.sigma}.`);
  for (const { x, denoised } of steps) {
    conforms(
      x.length === picture.length && denoised.length === picture.length,
      'A step has another size than the sample.',
    );
    conforms(x.every(Number.isFinite), 'A step is not finite.');
  }
}

async function endsAtThePicture(sampler: Sampler): Promise<void> {
  for (const levels of [preserving, flow]) {
    const steps = await collect(sampler, levels, constantDenoiser(picture));
    const { x } = steps.at(-1)!;
    conforms(distance(x, picture) < 1e-3, `Ends ${distance(x, picture)} away from the only picture there is.`);
  }
}

async function leavesItsInput(sampler: Sampler): Promise<void> {
  const start = testNoise(3, picture.length)();
  const copy = start.slice();
  const steps = await collect(sampler, preserving, mixtureDenoiser(), start);
  conforms(distance(start, copy) === 0, 'The sample handed in was changed.');
  conforms(new Set(steps.map(({ x }) => x.buffer)).size === steps.length, 'Steps share an array: readers keep them.');
}

async function keepsRunsApart(sampler: Sampler): Promise<void> {
  const options = () => ({ noise: testNoise(2, picture.length) });
  const [a, b] = [testNoise(4, picture.length)(), testNoise(5, picture.length)()];
  const first = sampler(mixtureDenoiser(), a, preserving, options());
  const second = sampler(mixtureDenoiser(), b, preserving, options());
  let results: SamplerStep[] = [];
  for (;;) {
    const steps = [await first.next(), await second.next()];
    if (steps.some(({ done }) => done)) break;
    results = steps.map(({ value }) => value as SamplerStep);
  }
  const alone = (await collect(sampler, preserving, mixtureDenoiser(), b)).at(-1)!;
  conforms(distance(results[1].x, alone.x) === 0, 'A run goes another way when another goes on beside it.');
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
  const steps = await collect(sampler, [preserving[0], cleanLevel], constantDenoiser(picture));
  conforms(distance(steps.at(-1)!.x, picture) < 1e-3, 'A single step does not end at the picture.');
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
    const options = { noise: testNoise(2, picture.length), signal: controller.signal };
    const error = await rejection(`A run aborted in call ${stopAt}`, async () => {
      for await (const _ of sampler(counting, picture.slice(), preserving, options));
    });
    conforms((error as Error)?.name === 'AbortError', `Rejects with ${error}, not with an AbortError.`);
    conforms(calls === stopAt, `Called the model ${calls} times, though aborted in call ${stopAt}.`);
  }
}

async function handsOn(sampler: Sampler): Promise<void> {
  const failure = new Error('the model failed');
  const error = await rejection('A run whose model throws', () =>
    collect(sampler, preserving, () => Promise.reject(failure)),
  );
  conforms(error === failure, `Rejects with ${error}, not with what the model threw.`);
}

async function converges(sampler: Sampler, order: number): Promise<void> {
  const measured = await measureOrder(sampler);
  conforms(measured > order - 0.35, `Its error falls with order ${measured.toFixed(2)}, not ${order}.`);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}
