import type { NoiseLevel, Sampler } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import { mix } from '../vector.js';
import { heun } from './heun.js';
import { callsTwiceAStep } from './stepwise.js';

/** Noise is added again from `min` up to `max` (both sigma / alpha) and removed in `steps` steps, `times` times. */
export interface RestartInterval {
  readonly min: number;
  readonly max: number;
  readonly steps: number;
  readonly times: number;
}

export interface RestartOptions {
  /** The paper's for few steps, 0.1 to 2 in 10 steps, 2 times, if left out. */
  readonly intervals?: readonly RestartInterval[];
  /** The noise schedule's; levels of the intervals are estimated from their neighbours without it. */
  readonly levelAt?: LevelAt;
}

/**
 * Restart sampling (arXiv 2306.14878, algorithm 1) with Heun's method: where the levels pass an interval's `min`, the
 * sample goes back to `max` and down again, Karras-spaced. Draws noise once a restart.
 */
export function restart({
  intervals = [{ min: 0.1, max: 2, steps: 10, times: 2 }],
  levelAt,
}: RestartOptions = {}): CountedSampler {
  const solve = heun();
  const sampler: Sampler = async function* (denoise, x, levels, options) {
    const descend = async function* (list: readonly NoiseLevel[]) {
      for await (const done of solve(denoise, x, list, options)) {
        x = done.x;
        yield done;
      }
    };
    for (let i = 1; i < levels.length; i++) {
      const [from, to] = [levels[i - 1], levels[i]];
      yield* descend([from, to]);
      for (const { max, steps, times } of intervals.filter((interval) => snapped(interval, levels) === i)) {
        const ratios = karrasSigmas(steps + 1, noiseRatio(to), max).slice(0, -1);
        const again = [...ratios.map((ratio) => levelAt?.(ratio) ?? levelBetween(from, to, ratio)), to];
        const [up] = again as [NoiseLevel];
        for (let k = 0; k < times; k++) {
          const added = up.alpha * Math.sqrt(max ** 2 - noiseRatio(to) ** 2);
          x = mix([up.alpha / safeAlpha(to), x], [added, options.noise(to, up)]);
          yield* descend(again);
        }
      }
    }
  };
  const again = (levels: readonly NoiseLevel[]) =>
    intervals
      .filter((interval) => snapped(interval, levels) > 0)
      .reduce((sum, { steps, times }) => sum + steps * times, 0);
  return Object.assign(sampler, {
    stepCount: (levels: readonly NoiseLevel[]) => levels.length - 1 + again(levels),
    callCount: (levels: readonly NoiseLevel[]) => callsTwiceAStep(levels) + 2 * again(levels),
  });
}

/** Which of the levels after the first is nearest to an interval's `min`, and noisy, and below its `max`; -1 if none is. */
function snapped({ min, max }: RestartInterval, levels: readonly NoiseLevel[]): number {
  let best = -1;
  let least = Infinity;
  for (let i = 1; i < levels.length; i++) {
    const ratio = noiseRatio(levels[i]);
    const gap = ratio < max ? Math.abs(Math.log(ratio / min)) : Infinity;
    if (gap < least) [best, least] = [i, gap];
  }
  return best;
}
