import { convertPrediction, type NoiseLevel, type Prediction, type Sampler } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { adamsBashforth } from '../interpolation.js';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix, type Term } from '../vector.js';
import type { LevelShift } from './ddim.js';
import { stepwise } from './stepwise.js';

export interface PndmOptions {
  /** True to start with three Runge-Kutta steps, as in the paper, instead of one Euler step taken twice (PLMS). */
  readonly rungeKutta?: boolean;
  /**
   * The prediction type that is averaged over steps; in diffusers, the model's own. By default epsilon, as in the paper, but
   * v for runs that start at almost pure noise, where epsilon hardly depends on the image.
   */
  readonly average?: Prediction;
  /**
   * True if the levels contain the second one twice, as diffusers' timesteps do. A run over a later part of such levels,
   * without a repeated one, still takes its second step from the first level, as diffusers does.
   */
  readonly repeated?: boolean;
  /** Steps to `shift(from, -1)` instead of the next level, as diffusers does. They differ if steps are uneven. */
  readonly shift?: LevelShift;
}

/**
 * Pseudo numerical methods for diffusion models (arXiv 2202.09778): linear multistep over the last four outputs (eq. 12
 * and 13) with DDIM's transfer (eq. 11). PLMS takes its first step twice, the second time with the mean of two outputs,
 * and yields both.
 */
export function pndm({ rungeKutta = false, average, repeated = false, shift }: PndmOptions = {}): CountedSampler {
  const visited = (levels: readonly NoiseLevel[]) =>
    repeated || rungeKutta || levels.length < 3 ? levels : [levels[0], levels[1], ...levels.slice(1)];
  const sampler: Sampler = (model, start, levels, options) => {
    const kind = average ?? (levels[0].alpha > 0.005 ? 'epsilon' : 'v');
    const outputOf = (denoised: Float32Array, x: Float32Array, level: NoiseLevel) =>
      convertPrediction(denoised, 'sample', kind, x, level);
    const transfer = (x: Float32Array, output: Float32Array, from: NoiseLevel, to: NoiseLevel) =>
      firstOrderStep(x, convertPrediction(output, kind, 'sample', x, from), from, to);
    const walk = visited(levels);

    const pseudoNumerical = stepwise(({ denoise }) => {
      const outputs: Float32Array[] = [];
      return async (x, denoised, from, to, stepsLeft) => {
        const i = walk.length - 1 - stepsLeft;
        const output = outputOf(denoised, x, from);
        if (i === 1 && !rungeKutta) {
          return transfer(start, mix([0.5, output], [0.5, outputs[0]]), shift?.(from, 1) ?? walk[0], from);
        }
        outputs.unshift(output);
        outputs.splice(4);
        if (rungeKutta && i < 3 && stepsLeft > 1) {
          const half = shift?.(from, -0.5) ?? levelBetween(from, to, (noiseRatio(from) + noiseRatio(to)) / 2);
          const stage = async (slope: Float32Array, level: NoiseLevel) => {
            const at = transfer(x, slope, from, level);
            return outputOf(await denoise(at, level), at, level);
          };
          const k2 = await stage(output, half);
          const k3 = await stage(k2, half);
          const k4 = await stage(k3, to);
          return transfer(x, mix([1 / 6, mix([1, output], [2, k2], [2, k3], [1, k4])]), from, to);
        }
        const weights = adamsBashforth[outputs.length - 1];
        return transfer(x, mix(...outputs.map((o, k): Term => [weights[k], o])), from, shift?.(from, -1) ?? to);
      };
    });
    return pseudoNumerical(model, start, walk, options);
  };
  const stepCount = (levels: readonly NoiseLevel[]) => visited(levels).length - 1;
  // A Runge-Kutta step makes three more calls. The last step never is one.
  const extraCalls = (steps: number) => (rungeKutta ? 3 * Math.min(3, steps - 1) : 0);
  const callCount = (levels: readonly NoiseLevel[]) => stepCount(levels) + extraCalls(stepCount(levels));
  return Object.assign(sampler, { stepCount, callCount });
}
