import { InvalidOptionError, type NoiseLevel, type Sampler, UnsupportedError } from '@sd/core';
import type { Spacing } from '../create-scheduler.js';
import { linspace, roundHalfEven } from '../float32.js';
import { cleanLevel, flowLevel, noiseRatio, preservingLevel } from '../level.js';
import { deis } from '../samplers/deis.js';
import { type DpmSolverOptions, dpmSolverMultistep } from '../samplers/dpm-solver.js';
import { dpmSolverSinglestep } from '../samplers/dpm-solver-singlestep.js';
import { saSolver } from '../samplers/sa-solver.js';
import { unipc } from '../samplers/unipc.js';
import { spacedTimesteps } from '../spacings/timesteps.js';
import type { Settings } from './schema.js';
import { type ConfigParts, limited, limitFrom, type RunOptions, sigmaSchedule } from './shared.js';
import { named, respacing } from './sigma.js';

/** The DPM-Solver family as diffusers runs it: on whole timesteps, one more than steps, of which the last is dropped. */

export function dpmMultistepParts(settings: Settings, options: RunOptions): ConfigParts {
  const solver = dpmOptions(settings);
  const name = solver.eta === 1 ? `DPM++ ${solver.order}M SDE` : `DPM++ ${solver.order}M`;
  return dpmParts(name, settings, options, {}, (steps) =>
    dpmSolverMultistep({
      ...solver,
      halfCurvature: true,
      lowerOrderFinal: settings.lower_order_final && steps < 15,
      eulerAtFinal: settings.euler_at_final,
    }),
  );
}

export function dpmSinglestepParts(settings: Settings, options: RunOptions): ConfigParts {
  const solver = dpmOptions(settings);
  const even = (steps: number) => steps % settings.solver_order === 0 && settings.final_sigmas_type !== 'zero';
  const spaced = { ...settings, timestep_spacing: 'linspace' } as const;
  return dpmParts(`DPM++ ${solver.order}S`, spaced, options, { use_lu_lambdas: false }, (steps) =>
    dpmSolverSinglestep({ ...solver, lowerOrderFinal: settings.lower_order_final || !even(steps) }),
  );
}

export function uniPcParts(settings: Settings, options: RunOptions): ConfigParts {
  if (settings.shift_terminal !== undefined)
    throw new UnsupportedError('shift_terminal of UniPCMultistepScheduler is not supported.');
  return dpmParts('UniPC', settings, options, { use_lu_lambdas: false, lambda_min_clipped: -Infinity }, () =>
    unipc({
      order: settings.solver_order,
      solverType: settings.solver_type === 'bh1' ? 'bh1' : 'bh2',
      predict: settings.predict_x0 ? 'sample' : 'epsilon',
      lowerOrderFinal: settings.lower_order_final,
      disableCorrector: settings.disable_corrector,
    }),
  );
}

export function deisParts(settings: Settings, options: RunOptions): ConfigParts {
  return dpmParts('DEIS', settings, options, { ...ownFinal, lambda_min_clipped: -Infinity }, (steps) =>
    deis({ order: settings.solver_order, lowerOrderFinal: settings.lower_order_final && steps < 15 }),
  );
}

export function saSolverParts(settings: Settings, options: RunOptions): ConfigParts {
  return dpmParts('SA-Solver', settings, options, ownFinal, () =>
    saSolver({
      predictorOrder: settings.predictor_order,
      correctorOrder: settings.corrector_order,
      predict: settings.algorithm_type === 'noise_prediction' ? 'epsilon' : 'sample',
      lowerOrderFinal: settings.lower_order_final,
    }),
  );
}

/** DEIS and SA-Solver end at the smallest sigma whatever the config says. */
const ownFinal: Partial<Settings> = { use_lu_lambdas: false, final_sigmas_type: 'sigma_min' };

function dpmOptions(settings: Settings): DpmSolverOptions {
  const { algorithm_type: algorithm, final_sigmas_type: final } = settings;
  const predict = algorithm === 'dpmsolver' || algorithm === 'sde-dpmsolver' ? 'epsilon' : 'sample';
  if (predict === 'epsilon' && final === 'zero') {
    throw new InvalidOptionError('final_sigmas_type', `must be sigma_min with the algorithm_type ${algorithm}.`);
  }
  return {
    order: settings.solver_order,
    solverType: settings.solver_type === 'heun' ? 'heun' : 'midpoint',
    predict,
    eta: algorithm.startsWith('sde') ? 1 : 0,
  };
}

function dpmParts(
  name: string,
  settings: Settings,
  { images, mu }: RunOptions,
  forced: Partial<Settings>,
  make: (steps: number) => Sampler,
): ConfigParts {
  const used = { ...settings, ...forced };
  return {
    name: named(name, used),
    schedule: sigmaSchedule(used),
    initialSigma: 1,
    spacing: used.use_flow_sigmas ? flowSpacing(used, mu) : dpmSpacing(used),
    samplerFor: (steps) => limited(make(steps), limitFrom({ ...used, clip_sample: false }, images)),
  };
}

function dpmSpacing(settings: Settings): Spacing {
  const respace = respacing({
    ...settings,
    use_exponential_sigmas: settings.use_exponential_sigmas || settings.use_lu_lambdas,
  });
  const round = settings.use_karras_sigmas || settings.use_lu_lambdas ? roundHalfEven : Math.trunc;
  const whole = settings.beta_schedule === 'squaredcos_cap_v2' ? Math.trunc : round;
  return ({ sigmas, level, levelAt }, steps) => {
    const smallest = sigmas[0]!;
    const last = settings.final_sigmas_type === 'zero' ? cleanLevel : preservingLevel(smallest, 0);
    if (respace !== undefined) {
      const ratios = respace(steps, settings.sigma_min ?? smallest, settings.sigma_max ?? sigmas.at(-1)!);
      return [...ratios.map((ratio) => preservingLevel(ratio, whole(levelAt(ratio).timestep))), last];
    }
    // Training steps with a lambda below lambda_min_clipped are left out.
    const count = sigmas.filter((sigma) => -Math.log(sigma) >= settings.lambda_min_clipped).length;
    return [
      ...dpmTimesteps(settings, count, sigmas.length, steps).map((t) => preservingLevel(noiseRatio(level(t)), t)),
      last,
    ];
  };
}

function dpmTimesteps(
  { timestep_spacing, steps_offset }: Settings,
  count: number,
  trainTimesteps: number,
  steps: number,
): number[] {
  if (timestep_spacing !== 'trailing')
    return spacedTimesteps(timestep_spacing, count, steps + 1, steps_offset).slice(0, -1);
  return Array.from({ length: steps }, (_, i) => Math.max(0, roundHalfEven(count - (i * trainTimesteps) / steps) - 1));
}

/** Flow sigmas of the DPM-Solver family: from just below 1 to just above 0, shifted. */
function flowSpacing(settings: Settings, mu: number | undefined): Spacing {
  const shift = settings.use_dynamic_shifting && mu !== undefined ? Math.exp(mu) : settings.flow_shift;
  return ({ trainTimesteps }, steps) => {
    const even = linspace(1 - 1 / trainTimesteps, 0, steps + 1).slice(0, -1);
    const sigmas = even.map((sigma) => (shift * sigma) / (1 + (shift - 1) * sigma));
    const levels: NoiseLevel[] = sigmas.map((sigma) => flowLevel(sigma, Math.trunc(sigma * trainTimesteps)));
    return [...levels, settings.final_sigmas_type === 'zero' ? cleanLevel : { ...levels.at(-1)!, timestep: 0 }];
  };
}
