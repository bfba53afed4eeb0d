import { convertPrediction, type NoiseLevel, type Prediction, type Sampler } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { adamsBashforth } from '../interpolation.js';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix, type Term } from '../vector.js';
import type { LevelShift } from './ddim.js';
import { stepwise } from './stepwise.js';

export interface PndmOptions {
  /** Starts with three steps of Runge-Kutta, as in the paper, not with one of Euler taken twice (PLMS). */
  readonly rungeKutta?: boolean;
  /**
   * What is averaged over steps: the model's own output, in diffusers. Epsilon if left out, as in the paper, but v for runs
   * that start next to noise alone, where epsilon hardly tells the picture.
   */
  readonly average?: Prediction;
  /**
   * The levels name the second twice, as diffusers' timesteps do. A run over the later part of such levels, with no
   * level named twice, still takes its second step from the first level, as diffusers does.
   */
  readonly repeated?: boolean;
  /** Steps to `shift(from, -1)` in place of the next level, as diffusers does; they differ where steps are uneven. */
  readonly shift?: LevelShift;
}

/**
 * Pseudo numerical methods for diffusion models (arXiv 2202.09778): linear multistep over the last four outputs (eq. 12
 * and 13) around DDIM's transfer (eq. 11). The first step of PLMS is taken twice, the second time with the mean of two
 * outputs; both are yielded.
 */
export function pndm({ rungeKutta = false, average, repeated = false, shift }: PndmOptions = {}): CountedSampler {
  const walked = (levels: readonly NoiseLevel[]) =>
    repeated || rungeKutta || levels.length < 3 ? levels : [levels[0], levels[1], ...levels.slice(1)];
  const sampler: Sampler = (model, start, levels, options) => {
    const kind = average ?? (levels[0].alpha > 0.005 ? 'epsilon' : 'v');
    const outputOf = (denoised: Float32Array, x: Float32Array, level: NoiseLevel) =>
      convertPrediction(denoised, 'sample', kind, x, level);
    const transfer = (x: Float32Array, output: Float32Array, from: NoiseLevel, to: NoiseLevel) =>
      firstOrderStep(x, convertPrediction(output, kind, 'sample', x, from), from, to);
    const walk = walked(levels);

    const pseudoNumerical = stepwise(({ denoise }) => {
      const outputs: Float32Array[] = [];
      return async (x, denoised, from, to, left) => {
        const i = walk.length - 1 - left;
        const output = outputOf(denoised, x, from);
        if (i === 1 && !rungeKutta) {
          return transfer(start, mix([0.5, output], [0.5, outputs[0]]), shift?.(from, 1) ?? walk[0], from);
        }
        outputs.unshift(output);
        outputs.splice(4);
        if (rungeKutta && i < 3 && left > 1) {
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
  const stepCount = (levels: readonly NoiseLevel[]) => walked(levels).length - 1;
  // A step of Runge-Kutta calls four times, but there is none in the last.
  const more = (steps: number) => (rungeKutta ? 3 * Math.min(3, steps - 1) : 0);
  const callCount = (levels: readonly NoiseLevel[]) => stepCount(levels) + more(stepCount(levels));
  return Object.assign(sampler, { stepCount, callCount });
}
