import { InvalidOptionError, type Sampler } from '@sd/core';
import { cleanLevel, preservingLevel } from '../level.js';
import { roundHalfEven } from '../numbers.js';
import { deis } from '../samplers/deis.js';
import { type DpmSolverOptions, dpmSolverMultistep } from '../samplers/dpm-solver.js';
import { dpmSolverSinglestep } from '../samplers/dpm-solver-singlestep.js';
import { saSolver } from '../samplers/sa-solver.js';
import { unipc } from '../samplers/unipc.js';
import type { NoiseSchedule } from '../schedules/noise-schedule.js';
import { spacedTimesteps, trailingTimesteps } from '../spacings/timesteps.js';
import { dpmFlowLevels, uniPcFlowLevels } from './flow-sigmas.js';
import type { Settings } from './schema.js';
import { type ConfigParts, limited, limitFrom, type RunOptions, sigmaSchedule } from './shared.js';
import { level32, named, ratioAt, respacing } from './sigma.js';

/** The DPM-Solver family as diffusers runs it: on integer timesteps, one more than steps, dropping the last. */

export function dpmMultistepParts(settings: Settings, options: RunOptions): ConfigParts {
  return dpmParts(...dpmMultistep(settings), settings, options);
}

/** The multistep solver's name and factory. */
export function dpmMultistep(settings: Settings): [name: string, make: (steps: number) => Sampler] {
  const solver = { ...dpmOptions(settings), halfCurvature: true, eulerAtFinal: settings.euler_at_final };
  const make = (steps: number) => dpmSolverMultistep({ ...solver, lowerOrderFinal: lowersOrder(settings, steps) });
  return [`DPM++ ${solver.order}M${solver.eta === 1 ? ' SDE' : ''}`, make];
}

/** Short runs end with lower orders unless the config says otherwise. */
function lowersOrder({ lower_order_final }: Settings, steps: number): boolean {
  return lower_order_final && steps < 15;
}

export function dpmSinglestepParts(settings: Settings, options: RunOptions): ConfigParts {
  const { solver_order: order, final_sigmas_type, lower_order_final } = settings;
  const solver = dpmOptions(settings);
  const make = (steps: number) => {
    const lowerOrderFinal = lower_order_final || steps % order !== 0 || final_sigmas_type === 'zero';
    return dpmSolverSinglestep({ ...solver, lowerOrderFinal });
  };
  return dpmParts(`DPM++ ${order}S`, make, settings, options);
}

export function uniPcParts(settings: Settings, options: RunOptions): ConfigParts {
  const sampler = unipc({
    order: settings.solver_order,
    solverType: settings.solver_type === 'bh1' ? 'bh1' : 'bh2',
    predict: settings.predict_x0 ? 'sample' : 'epsilon',
    lowerOrderFinal: settings.lower_order_final,
    disableCorrector: settings.disable_corrector ?? [],
  });
  return dpmParts('UniPC', () => sampler, settings, options, uniPcFlowLevels);
}

export function deisParts(settings: Settings, options: RunOptions): ConfigParts {
  const order = settings.solver_order;
  const make = (steps: number) => deis({ order, lowerOrderFinal: lowersOrder(settings, steps) });
  return dpmParts('DEIS', make, settings, options);
}

export function saSolverParts(settings: Settings, options: RunOptions): ConfigParts {
  const sampler = saSolver({
    predictorOrder: settings.predictor_order,
    correctorOrder: settings.corrector_order,
    predict: settings.algorithm_type === 'noise_prediction' ? 'epsilon' : 'sample',
    lowerOrderFinal: settings.lower_order_final,
  });
  return dpmParts('SA-Solver', () => sampler, settings, options);
}

function dpmOptions({
  algorithm_type: algorithm,
  final_sigmas_type,
  solver_order,
  solver_type,
}: Settings): DpmSolverOptions {
  const predict = /^(sde-)?dpmsolver$/.test(algorithm) ? 'epsilon' : 'sample';
  if (predict === 'epsilon' && final_sigmas_type === 'zero') {
    throw new InvalidOptionError('final_sigmas_type', `must be sigma_min with the algorithm_type ${algorithm}.`);
  }
  return {
    order: solver_order,
    solverType: solver_type === 'heun' ? 'heun' : 'midpoint',
    predict,
    eta: algorithm.startsWith('sde') ? 1 : 0,
  };
}

function dpmParts(
  name: string,
  make: (steps: number) => Sampler,
  settings: Settings,
  { images, mu }: RunOptions,
  flowLevels: typeof uniPcFlowLevels = dpmFlowLevels,
): ConfigParts {
  const schedule = sigmaSchedule(settings);
  return {
    name: named(name, settings),
    trainTimesteps: schedule.trainTimesteps,
    levels: (steps) =>
      settings.use_flow_sigmas ? flowLevels(settings, schedule, steps, mu) : dpmLevels(settings, schedule, steps),
    sampler: (steps) => limited(make(steps), limitFrom(settings, images)),
  };
}

function dpmLevels(settings: Settings, schedule: NoiseSchedule, steps: number) {
  const { sigmas, levelAt } = schedule;
  const smallest = sigmas[0];
  const final = settings.final_sigmas_type === 'zero' ? cleanLevel : preservingLevel(smallest, 0);
  const respace = respacing(settings);
  if (respace !== undefined) {
    const rounded =
      (settings.use_lu_lambdas || settings.use_karras_sigmas) && settings.beta_schedule !== 'squaredcos_cap_v2';
    const toInteger = rounded ? roundHalfEven : Math.trunc;
    const ratios = respace(steps, settings.sigma_min ?? smallest, settings.sigma_max ?? sigmas.at(-1)!);
    return [...ratios.map((ratio) => level32(ratio, toInteger(levelAt(ratio).timestep))), final];
  }
  // Excludes training steps with a lambda below lambda_min_clipped.
  const count = sigmas.filter((sigma) => -Math.log(sigma) >= settings.lambda_min_clipped).length;
  const { timestep_spacing: spacing, steps_offset: offset } = settings;
  const timesteps =
    spacing === 'trailing'
      ? trailingTimesteps(count, sigmas.length / steps)
      : spacedTimesteps(spacing, count, steps + 1, offset).slice(0, -1);
  return [...timesteps.map((t) => level32(ratioAt(schedule, t), t)), final];
}
