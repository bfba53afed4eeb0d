import { barrier, type SamplingPlan, type Scheduler } from '@sd/core';
import { type CountedSampler, countsOf } from '../create-scheduler.js';
import type { LevelAt } from '../level.js';
import { brownianNoise } from '../noise/brownian.js';
import { dpmpp2mCfgPp, eulerCfgPp } from '../samplers/cfg-pp.js';
import { dpmpp2mSde, dpmpp3mSde, resMultistep } from '../samplers/dpm-solver.js';
import { dpmpp2sAncestral } from '../samplers/dpmpp-2s-ancestral.js';
import { eulerAncestral } from '../samplers/euler-ancestral.js';
import { ipndm } from '../samplers/multistep.js';
import { restart } from '../samplers/restart.js';
import { noiseScheduleFromConfig, schedulerFromConfig } from './from-config.js';
import type { SchedulerConfig } from './schema.js';

interface NamedScheduler {
  /** Class name in diffusers. */
  readonly class: string;
  /** Overrides of the model's config. */
  readonly settings?: SchedulerConfig;
  /** True if there is a variant with Karras sigmas. */
  readonly karras?: boolean;
  /** Replaces the class's sampler by one that diffusers has no class for; with its title. */
  readonly sampler?: readonly [name: string, make: (levelAt: LevelAt) => CountedSampler];
  /** The sampler's noise, if it is not fresh for every draw. */
  readonly noise?: SamplingPlan['noise'];
}

const euler = 'EulerDiscreteScheduler';
const multistep = 'DPMSolverMultistepScheduler';
const sde = { algorithm_type: 'sde-dpmsolver++' };

/** A function, so that bundlers can drop it. */
function nameTable(): Record<string, NamedScheduler> {
  const table: Record<string, NamedScheduler> = {
    ddim: { class: 'DDIMScheduler' },
    pndm: { class: 'PNDMScheduler' },
    euler: { class: euler, karras: true },
    ddpm: { class: 'DDPMScheduler' },
    'euler-ancestral': { class: 'EulerAncestralDiscreteScheduler' },
    heun: { class: 'HeunDiscreteScheduler', karras: true },
    lms: { class: 'LMSDiscreteScheduler', karras: true },
    dpm2: { class: 'KDPM2DiscreteScheduler', karras: true },
    'dpm2-ancestral': { class: 'KDPM2AncestralDiscreteScheduler', karras: true },
    'dpmpp-2s': { class: 'DPMSolverSinglestepScheduler', karras: true },
    'dpmpp-2m': { class: multistep, karras: true },
    'dpmpp-2m-sde': { class: multistep, settings: sde, karras: true },
    'dpmpp-3m': { class: multistep, settings: { solver_order: 3 }, karras: true },
    'dpmpp-3m-sde': { class: multistep, settings: { ...sde, solver_order: 3 }, karras: true },
    'dpmpp-sde': { class: 'DPMSolverSDEScheduler', karras: true },
    unipc: { class: 'UniPCMultistepScheduler', karras: true },
    deis: { class: 'DEISMultistepScheduler', karras: true },
    'sa-solver': { class: 'SASolverScheduler', karras: true },
    lcm: { class: 'LCMScheduler' },
    tcd: { class: 'TCDScheduler' },
    'dpmpp-2s-ancestral': {
      class: euler,
      karras: true,
      sampler: ['DPM++ 2S a', (levelAt) => dpmpp2sAncestral({ levelAt })],
    },
    'dpmpp-2m-sde-brownian': {
      class: euler,
      karras: true,
      sampler: ['DPM++ 2M SDE', () => dpmpp2mSde()],
      noise: brownianNoise,
    },
    'dpmpp-3m-sde-brownian': {
      class: euler,
      karras: true,
      sampler: ['DPM++ 3M SDE', () => dpmpp3mSde()],
      noise: brownianNoise,
    },
    ipndm: { class: euler, karras: true, sampler: ['iPNDM', () => ipndm()] },
    'res-multistep': { class: euler, karras: true, sampler: ['RES multistep', resMultistep] },
    restart: { class: euler, karras: true, sampler: ['Restart', (levelAt) => restart({ levelAt })] },
    'euler-cfg-pp': { class: euler, karras: true, sampler: ['Euler CFG++', eulerCfgPp] },
    'dpmpp-2m-cfg-pp': { class: euler, karras: true, sampler: ['DPM++ 2M CFG++', dpmpp2mCfgPp] },
  };
  const karras = Object.entries(table).flatMap(([name, entry]): [string, NamedScheduler][] => {
    const settings = { ...entry.settings, use_karras_sigmas: true };
    return entry.karras === true ? [[`${name}-karras`, { ...entry, settings }]] : [];
  });
  return {
    ...table,
    ...Object.fromEntries(karras),
    // The ancestral class of diffusers cannot respace its sigmas.
    'euler-ancestral-karras': {
      class: euler,
      settings: { use_karras_sigmas: true },
      sampler: ['Euler a', () => eulerAncestral()],
    },
  };
}

const names = /* @__PURE__ */ nameTable();

/** Short names of schedulers. Those that end in `-karras` use the spacing of Karras et al. (arXiv 2206.00364, eq. 5). */
export const schedulerNames: readonly string[] = /* @__PURE__ */ Object.keys(names);

/** The scheduler with a short name, for a model's config; undefined if there is no such name. */
export function schedulerByName(name: string, config: SchedulerConfig): Scheduler | undefined {
  return barrier('schedulerByName()', () => fromName(name, config));
}

function fromName(name: string, config: SchedulerConfig): Scheduler | undefined {
  const entry = Object.hasOwn(names, name) ? names[name] : undefined;
  if (entry === undefined) return undefined;
  const scheduler = schedulerFromConfig({ ...config, ...entry.settings }, { class: entry.class });
  if (entry.sampler === undefined) return scheduler;
  const [title, make] = entry.sampler;
  const sampler = make(noiseScheduleFromConfig(config).levelAt);
  const suffix = name.endsWith('-karras') ? ' Karras' : '';
  return {
    ...scheduler,
    name: `${title}${suffix}`,
    plan(steps) {
      const plan = scheduler.plan(steps);
      const { noise } = entry;
      return { ...plan, sampler, ...countsOf(sampler, plan.levels), ...(noise && { noise }) };
    },
  };
}
