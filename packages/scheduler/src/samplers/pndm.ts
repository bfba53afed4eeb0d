import { convertPrediction, type NoiseLevel, type Prediction, type Sampler, throwIfAborted } from '@sd/core';
import type { CountedSampler } from '../create-scheduler.js';
import { adamsBashforth } from '../interpolation.js';
import { firstOrderStep, levelBetween, noiseRatio } from '../level.js';
import { mix, type Term } from '../vector.js';
import type { LevelShift } from './ddim.js';

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
  const sampler: Sampler = async function* (denoise, x, levels, { signal }) {
    const last = levels.length - 1;
    const kind = average ?? (levels[0]!.alpha > 0.005 ? 'epsilon' : 'v');
    const transfer = (at: Float32Array, output: Float32Array, from: NoiseLevel, to: NoiseLevel) =>
      firstOrderStep(at, convertPrediction(output, kind, 'sample', at, from), from, to);
    const outputs: Float32Array[] = [];
    const evaluate = async (at: Float32Array, level: NoiseLevel) => {
      throwIfAborted(signal);
      const denoised = await denoise(at, level);
      return { denoised, output: convertPrediction(denoised, 'sample', kind, at, level) };
    };

    let i = 0;
    for (; rungeKutta && i < Math.min(3, last - 1); i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const half = shift?.(from, -0.5) ?? levelBetween(from, to, (noiseRatio(from) + noiseRatio(to)) / 2);
      const k1 = await evaluate(x, from);
      const k2 = await evaluate(transfer(x, k1.output, from, half), half);
      const k3 = await evaluate(transfer(x, k2.output, from, half), half);
      const k4 = await evaluate(transfer(x, k3.output, from, to), to);
      outputs.unshift(k1.output);
      x = transfer(x, mix([1 / 6, k1.output], [1 / 3, k2.output], [1 / 3, k3.output], [1 / 6, k4.output]), from, to);
      yield { x, level: to, denoised: k1.denoised };
    }

    const walk = repeated || rungeKutta || last < 2 ? levels : [levels[0]!, levels[1]!, ...levels.slice(1)];
    let start = x;
    for (; i < walk.length - 1; i++) {
      const from = walk[i]!;
      const { denoised, output } = await evaluate(x, from);
      if (i === 1 && !rungeKutta) {
        x = transfer(start, mix([0.5, output], [0.5, outputs[0]!]), shift?.(from, 1) ?? walk[0]!, from);
      } else {
        outputs.unshift(output);
        outputs.splice(4);
        const weights = adamsBashforth[outputs.length - 1]!;
        start = x;
        x = transfer(x, mix(...outputs.map((o, k): Term => [weights[k]!, o])), from, shift?.(from, -1) ?? walk[i + 1]!);
      }
      yield { x, level: walk[i + 1]!, denoised };
    }
  };
  const stepCount = ({ length }: readonly NoiseLevel[]) => (repeated || rungeKutta || length < 3 ? length - 1 : length);
  return Object.assign(sampler, { stepCount });
}
