import { InvalidOptionError, type NoiseLevel } from '@sd/core';
import { cleanLevel, flowLevel } from '../level.js';
import { linspace } from '../numbers.js';
import { shiftSigma } from '../schedules/flow-schedule.js';
import type { NoiseSchedule } from '../schedules/noise-schedule.js';
import { karrasSigmas } from '../spacings/sigmas.js';
import type { Settings } from './schema.js';

/** The sigmas of flows in diffusers: those of its flow schedulers, and of the DPM-Solver family with `use_flow_sigmas`. */

/** Returns `mu`. Throws an InvalidOptionError if it is missing although the config has `use_dynamic_shifting`. */
export function requiredMu({ use_dynamic_shifting }: Settings, mu: number | undefined): number | undefined {
  if (!use_dynamic_shifting || mu !== undefined) return mu;
  throw new InvalidOptionError('mu', 'must be given with use_dynamic_shifting.');
}

/** Shifts a sigma by the config's shift, or with `use_dynamic_shifting` by `mu`. */
function shiftOf({ use_dynamic_shifting, time_shift_type }: Settings, shift: number, mu: number | undefined) {
  if (!use_dynamic_shifting || mu === undefined) return (sigma: number) => shiftSigma(sigma, shift);
  const factor = time_shift_type === 'exponential' ? Math.exp(mu) : mu;
  return (sigma: number) => factor / (factor + (1 / sigma - 1));
}

/** Stretches sigmas so that they end at the config's `shift_terminal`, if it has one; a single sigma of 1 stays. */
function stretched(sigmas: number[], { shift_terminal: terminal }: Settings): number[] {
  if (terminal === undefined || terminal === 0 || sigmas.at(-1) === 1) return sigmas;
  const factor = (1 - sigmas.at(-1)!) / (1 - terminal);
  return sigmas.map((sigma) => 1 - (1 - sigma) / factor);
}

/** Sigmas of the flow schedulers, which shift twice: the ends of the range, in float32, and then all sigmas between them. */
export function flowMatchSigmas(settings: Settings, steps: number, mu: number | undefined): number[] {
  const { num_train_timesteps: count, use_dynamic_shifting, shift } = settings;
  const end = (sigma: number) => (use_dynamic_shifting ? Math.fround(sigma) : shiftSigma32(sigma, shift)) * count;
  const sigmas = linspace(end(1), end(1 / count), steps).map((timestep) => timestep / count);
  return stretched(sigmas.map(shiftOf(settings, shift, mu)), settings);
}

function shiftSigma32(sigma: number, shift: number): number {
  const { fround } = Math;
  const scaled = fround(fround(shift) * fround(sigma));
  return fround(scaled / fround(1 + fround(fround(shift - 1) * fround(sigma))));
}

/** Levels of the DPM-Solver family: sigmas from just below 1 to just above 0, shifted, at whole timesteps. */
export function dpmFlowLevels(
  settings: Settings,
  _schedule: NoiseSchedule,
  steps: number,
  mu: number | undefined,
): NoiseLevel[] {
  const { num_train_timesteps: count, use_dynamic_shifting, flow_shift } = settings;
  const shift = use_dynamic_shifting && mu !== undefined ? Math.exp(mu) : flow_shift;
  const sigmas = linspace(1, 1 / count, steps + 1).map((alpha) => shiftSigma(1 - alpha, shift));
  return flowLevels(settings, sigmas.reverse().slice(0, -1));
}

/** Levels of UniPC, which starts at 1 and also takes Karras sigmas. Its first level keeps a millionth of the image. */
export function uniPcFlowLevels(
  settings: Settings,
  { sigmas: table }: NoiseSchedule,
  steps: number,
  mu: number | undefined,
): NoiseLevel[] {
  const { num_train_timesteps: count, flow_shift, use_karras_sigmas, sigma_min, sigma_max } = settings;
  if (use_karras_sigmas) {
    const ratios = karrasSigmas(steps, sigma_min ?? table[0], sigma_max ?? table.at(-1)!);
    return flowLevels(
      settings,
      ratios.map((ratio) => ratio / (ratio + 1)),
    );
  }
  const spaced = linspace(1, 1 / count, steps + 1).slice(0, -1);
  const sigmas = stretched(spaced.map(shiftOf(settings, flow_shift, requiredMu(settings, mu))), settings);
  if (Math.abs(sigmas[0] - 1) < 1e-6) sigmas[0] -= 1e-6;
  return flowLevels(settings, sigmas);
}

/** Levels of these sigmas in float32, then the last one again or the clean image, as `final_sigmas_type` says. */
function flowLevels({ num_train_timesteps: count, final_sigmas_type }: Settings, sigmas: readonly number[]) {
  const levels = sigmas.map((sigma) => flowLevel(Math.fround(sigma), Math.trunc(sigma * count)));
  return [...levels, final_sigmas_type === 'zero' ? cleanLevel : levels.at(-1)!];
}
