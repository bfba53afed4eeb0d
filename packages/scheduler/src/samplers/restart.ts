import type { NoiseLevel, Sampler } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import { mix } from '../vector.js';
import { heun } from './heun.js';
import { callsTwiceAStep } from './stepwise.js';

/** Noise is raised from `min` to `max` (both sigma / alpha) and removed in `steps` steps, `times` times. */
export interface RestartInterval {
  readonly min: number;
  readonly max: number;
  readonly steps: number;
  readonly times: number;
}

export interface RestartOptions {
  /** By default the paper's interval for few steps: 0.1 to 2 in 10 steps, 2 times. */
  readonly intervals?: readonly RestartInterval[];
  /** The noise schedule's `levelAt`. Without it, levels inside intervals are estimated from their neighbours. */
  readonly levelAt?: LevelAt;
}

/**
 * Restart sampling (arXiv 2306.14878, algorithm 1) with Heun's method: when the levels pass an interval's `min`, the sample
 * goes back up to `max` and down again, with Karras spacing. Draws noise once per restart.
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
        const restarted = [...ratios.map((ratio) => levelAt?.(ratio) ?? levelBetween(from, to, ratio)), to];
        const [up] = restarted;
        for (let k = 0; k < times; k++) {
          const added = up.alpha * Math.sqrt(max ** 2 - noiseRatio(to) ** 2);
          x = mix([up.alpha / safeAlpha(to), x], [added, options.noise(to, up)]);
          yield* descend(restarted);
        }
      }
    }
  };
  const extraSteps = (levels: readonly NoiseLevel[]) =>
    intervals
      .filter((interval) => snapped(interval, levels) > 0)
      .reduce((sum, { steps, times }) => sum + steps * times, 0);
  return Object.assign(sampler, {
    stepCount: (levels: readonly NoiseLevel[]) => levels.length - 1 + extraSteps(levels),
    callCount: (levels: readonly NoiseLevel[]) => callsTwiceAStep(levels) + 2 * extraSteps(levels),
  });
}

/** Index of the noisy level, after the first and below `max`, that is nearest to an interval's `min`; -1 if there is none. */
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
