import { type NoiseLevel, throwIfAborted } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { type LevelAt, levelBetween, noiseRatio, safeAlpha } from '../level.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import { mix } from '../vector.js';
import { heun } from './heun.js';

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
  const sampler: CountedSampler = Object.assign(
    async function* (...[denoise, x, levels, options]: Parameters<CountedSampler>) {
      const step = heun();
      for (let i = 0; i < levels.length - 1; i++) {
        throwIfAborted(options.signal);
        const [from, to] = [levels[i]!, levels[i + 1]!];
        for await (const done of step(denoise, x, [from, to], options)) {
          x = done.x;
          yield done;
        }
        for (const { max, steps, times } of passed(intervals, levels, i)) {
          const spaced = karrasSigmas(steps + 1, noiseRatio(to), max).slice(0, -1);
          const again = [...spaced.map((ratio) => levelAt?.(ratio) ?? levelBetween(from, to, ratio)), to];
          const up = again[0]!;
          for (let k = 0; k < times; k++) {
            const added = up.alpha * Math.sqrt(max ** 2 - noiseRatio(to) ** 2);
            x = mix([up.alpha / safeAlpha(to), x], [added, options.noise(to, up)]);
            for await (const done of step(denoise, x, again, options)) {
              x = done.x;
              yield done;
            }
          }
        }
      }
    },
    {
      stepCount: (levels: readonly NoiseLevel[]) =>
        levels.slice(1).reduce((sum, _, i) => {
          const more = passed(intervals, levels, i).map(({ steps, times }) => steps * times);
          return more.reduce((a, b) => a + b, sum + 1);
        }, 0),
    },
  );
  return sampler;
}

/** The intervals whose `min` is nearest to the level that step i ends at, of all levels that are not clean. */
function passed(
  intervals: readonly RestartInterval[],
  levels: readonly NoiseLevel[],
  i: number,
): readonly RestartInterval[] {
  return intervals.filter(({ min, max }) => {
    const gaps = levels
      .slice(1)
      .map((level) => (level.sigma > 0 ? Math.abs(Math.log(noiseRatio(level) / min)) : Infinity));
    const end = levels[i + 1]!;
    return end.sigma > 0 && noiseRatio(end) < max && gaps.indexOf(Math.min(...gaps)) === i;
  });
}
