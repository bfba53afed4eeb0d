import type { GuidedDenoiser, Sampler } from '@sd/core';
import { logSnr } from '../level.js';
import { mix, type Term } from '../vector.js';
import { stepwise } from './stepwise.js';

/**
 * Euler with CFG++: x0 comes from the guided estimate, the noise from the unconditional one (arXiv 2406.08070, algorithm
 * 2). Plain Euler if the denoiser has no `unconditional`.
 */
export function eulerCfgPp(): Sampler {
  return cfgPp(false);
}

/** DPM++ 2M with CFG++ (arXiv 2406.08070, appendix; ComfyUI's `dpmpp_2m_cfg_pp`). Plain DPM++ 2M if the denoiser has no `unconditional`. */
export function dpmpp2mCfgPp(): Sampler {
  return cfgPp(true);
}

function cfgPp(multistep: boolean): Sampler {
  return (guided: GuidedDenoiser, ...rest) =>
    stepwise(() => {
      let past: { lambda: number; unconditional: Float32Array } | undefined;
      return async (x, denoised, from, to) => {
        const unconditional = (await guided.unconditional?.(x, from)) ?? denoised;
        const lambda = logSnr(from);
        const h = logSnr(to) - lambda;
        const kept = to.sigma / from.sigma;
        const terms: Term[] = [
          [to.alpha, denoised],
          [kept, x],
          [-kept * from.alpha, unconditional],
        ];
        if (multistep && past !== undefined && to.sigma > 0 && past.lambda !== lambda) {
          const weight = (to.alpha * -Math.expm1(-h) * h) / (2 * (lambda - past.lambda));
          terms.push([weight, denoised], [-weight, past.unconditional]);
        }
        past = { lambda, unconditional };
        return mix(...terms);
      };
    })(guided, ...rest);
}
