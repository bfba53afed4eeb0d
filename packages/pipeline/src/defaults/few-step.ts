import type { SchedulerConfig } from '@sd/scheduler';
import type { RunDefaults, SchedulerDefaults } from './run-defaults.js';

/** Facts about a model or an adapter that are known before it is loaded. */
export interface DistilledFacts {
  /** Its names: of the file, the folder, the repository; titles in its metadata. */
  readonly names: readonly string[];
  /** Whether it is an adapter. Names of adapters must say more: a LoRA named `lightning` may draw bolts. */
  readonly isAdapter: boolean;
  /** Id of the family, if known. */
  readonly family?: string | undefined;
  /** Whether its noise predictor takes the guidance scale as an input (`time_embedding.cond_proj`). */
  readonly takesGuidance?: boolean;
}

/** A name in lower case, and what it says about the model. */
interface Named {
  readonly name: string;
  /** `4step`, `8-steps`. */
  readonly steps: number | undefined;
  readonly isFlow: boolean;
  readonly isXl: boolean;
  readonly isAdapter: boolean;
  readonly takesGuidance: boolean;
}

/** A method of distillation: how its files are named, and what they need. */
interface Distillation {
  readonly title: string;
  readonly model: RegExp;
  /** By default as `model`. */
  readonly adapter?: RegExp;
  readonly defaults: (file: Named) => Omit<RunDefaults, 'title'>;
}

const off = 1;

/** A step's level is the last training step of its share, so that the first one is pure noise. */
const trailing = (_class_name: string, config: SchedulerConfig = {}): SchedulerDefaults => ({
  config: { _class_name, timestep_spacing: 'trailing', ...config },
});
/** For methods that follow the model's trajectory, where any solver will do: the one in the model's config is kept. */
const solver = (_class_name: string, config: SchedulerConfig = {}): SchedulerDefaults => ({
  ...trailing(_class_name, config),
  keepsSolver: true,
});
const euler = solver('EulerDiscreteScheduler');
const ddim = solver('DDIMScheduler');

const lcm = (timesteps?: readonly number[]): SchedulerDefaults => ({
  config: { _class_name: 'LCMScheduler' },
  ...(timesteps && { timesteps }),
});
const tcd = (eta: number): SchedulerDefaults => ({ config: { _class_name: 'TCDScheduler' }, step: { eta } });

/** Samples a flow as a consistency model: each step removes all noise, then adds fresh noise. */
const stochasticFlow: SchedulerDefaults = { config: { stochastic_sampling: true } };

/** The betas that AnimateDiff's motion modules were trained with. */
const linearBetas = { beta_schedule: 'linear' };

/**
 * The methods, in the order in which names are matched, with the settings that their authors require. Where a published
 * folder's config disagrees, as with `leading` spacing in ProteusV0.3-Lightning and koala-lightning, the authors are right.
 * @see the model cards: ByteDance/Hyper-SD, tianweiy/DMD2, wangfuyun/PCM_Weights, wangfuyun/AnimateLCM,
 * ByteDance/AnimateDiff-Lightning, ByteDance/SDXL-Lightning, h1t/TCD-SD15-LoRA, jasperai/flash-sdxl, IDKiro/sdxs-512-0.9,
 * stabilityai/sdxl-turbo, stabilityai/stable-diffusion-3.5-large-turbo, latent-consistency/lcm-lora-sdxl
 */
const distillations: readonly Distillation[] = [
  {
    title: 'Hyper-SD',
    model: /hyper(?![-_ ]*real)(?=$|[^a-z]|sd|xl|vae)/,
    adapter: /hyper[-_ ]?sd|hyper.*\dsteps?/,
    defaults: ({ name, steps = 8, isFlow, isAdapter }) => {
      if (isFlow) return { steps, guidanceScale: 5, ...(isAdapter && { strength: 0.125 }) };
      if (/cfg/.test(name)) return { steps, guidanceScale: 5, scheduler: ddim };
      if (steps > 1) return { steps, guidanceScale: off, scheduler: ddim };
      return { steps, guidanceScale: off, scheduler: isAdapter ? tcd(1) : lcm([800]) };
    },
  },
  {
    title: 'DMD2',
    model: /(^|[^a-z])dmd2?(?![a-z])/,
    defaults: ({ steps = 4 }) => ({
      steps,
      guidanceScale: off,
      scheduler: lcm(steps === 1 ? [399] : [999, 749, 499, 249]),
    }),
  },
  {
    title: 'PCM',
    model: /(^|[^a-z])pcm(?![a-z])/,
    defaults: ({ name, steps = 4, isFlow }) => {
      const guidanceScale = /normal_?cfg/.test(name) ? 7.5 : off;
      if (isFlow) {
        const [, shift] = /shift_?(\d+)/.exec(name) ?? [];
        const config = {
          ...(shift !== undefined && { shift: Number(shift) }),
          ...(/stochastic/.test(name) && { stochastic_sampling: true }),
        };
        return { steps, guidanceScale, scheduler: { config } };
      }
      if (/lcm_?like/.test(name)) return { steps, guidanceScale, scheduler: lcm() };
      const unclipped = { clip_sample: false, set_alpha_to_one: false };
      return { steps, guidanceScale, scheduler: trailing('DDIMScheduler', unclipped) };
    },
  },
  {
    title: 'TCD',
    model: /(^|[^a-z])tcd(?![a-z])/,
    defaults: ({ steps = 4 }) => ({ steps, guidanceScale: off, scheduler: tcd(0.3) }),
  },
  {
    title: 'Flash Diffusion',
    model: /flash[-_ ]?(sd|diffusion)/,
    defaults: ({ steps = 4 }) => ({ steps, guidanceScale: off, scheduler: lcm() }),
  },
  {
    title: 'AnimateDiff-Lightning',
    model: /animate[-_ ]?diff[-_ ]?lightning/,
    defaults: ({ steps = 4 }) => ({
      steps,
      guidanceScale: off,
      scheduler: trailing('EulerDiscreteScheduler', linearBetas),
    }),
  },
  {
    title: 'AnimateLCM',
    model: /animate[-_ ]?lcm/,
    defaults: ({ steps = 6 }) => ({
      steps,
      guidanceScale: 2,
      scheduler: { config: { _class_name: 'LCMScheduler', ...linearBetas } },
    }),
  },
  {
    title: 'SDXS',
    model: /sdxs/,
    defaults: () => ({ steps: 1, guidanceScale: off, scheduler: euler }),
  },
  {
    title: 'KOALA-Lightning',
    model: /koala.*lightning/,
    defaults: ({ steps = 10 }) => ({ steps, guidanceScale: 3.5, scheduler: euler }),
  },
  {
    title: 'SDXL-Lightning',
    model: /lightning/,
    adapter: /(sd|xl|sd_?1\.?5)[-_ ]*lightning|lightning.*\dsteps?|\dsteps?.*lightning/,
    defaults: ({ name, steps = 8 }) => ({
      steps,
      guidanceScale: off,
      scheduler:
        steps === 1 && /x0/.test(name) ? trailing('EulerDiscreteScheduler', { prediction_type: 'sample' }) : euler,
    }),
  },
  {
    title: 'Stable Diffusion 3.5 Turbo',
    model: /(sd[-_ ]?3|diffusion[-_ ]?3|3[._]5).*turbo/,
    defaults: ({ steps = 4 }) => ({ steps, guidanceScale: off }),
  },
  {
    title: 'Turbo',
    model: /turbo/,
    adapter: /(sd|xl|sd_?1\.?5)[-_ ]*turbo|turbo.*\dsteps?|\dsteps?.*turbo/,
    // The published models need one step; models derived from them need a few more.
    defaults: ({ name, steps = /^(sd|sd_?xl)[-_ ]?turbo/.test(name) ? 1 : 4 }) => ({
      steps,
      guidanceScale: off,
      scheduler: solver('EulerAncestralDiscreteScheduler'),
    }),
  },
  {
    title: 'LCM',
    model: /(^|[^a-z])lcm(?![a-z])/,
    defaults: ({ steps = 4, takesGuidance, isXl }) => ({
      steps,
      guidanceScale: takesGuidance ? (isXl ? 8 : 8.5) : off,
      scheduler: lcm(),
    }),
  },
];

/** The defaults of a distilled model or adapter; undefined for any other. */
export function fewStepDefaults(facts: DistilledFacts): RunDefaults | undefined {
  for (const given of facts.names) {
    const name = separated(given);
    const found = distillations.find(({ model, adapter = model }) => (facts.isAdapter ? adapter : model).test(name));
    if (found !== undefined) return defaultsOf(found, read(name, facts));
  }
  if (facts.takesGuidance !== true) return undefined;
  return defaultsOf(distillations.find(({ title }) => title === 'LCM')!, read('', facts));
}

function defaultsOf({ title, defaults }: Distillation, file: Named): RunDefaults {
  const { scheduler, ...rest } = defaults(file);
  const suited = file.isFlow ? forFlow(scheduler) : scheduler;
  return { title, ...rest, ...(suited && { scheduler: suited }) };
}

/** Classes for discrete noise levels do not apply to flows, but a consistency model's sampling does. */
function forFlow(scheduler: SchedulerDefaults | undefined): SchedulerDefaults | undefined {
  const { _class_name: name } = scheduler?.config ?? {};
  if (name === undefined) return scheduler;
  return /^(LCM|TCD)/.test(name) ? stochasticFlow : undefined;
}

function read(name: string, { isAdapter, family, takesGuidance = false, names }: DistilledFacts): Named {
  // The repository's name may have the method, and the file's name the steps.
  const said = [name, ...names.slice(0, 1).map(separated)].join(' ');
  const steps = Number(/(\d+)steps?/.exec(said)?.[1] ?? Number.NaN);
  return {
    name: said,
    steps: steps >= 1 && steps <= 64 ? steps : undefined,
    isFlow: family === undefined ? names.some((other) => /(sd|diffusion)[-_ ]?3/i.test(other)) : family === 'sd3',
    isXl: family === 'sdxl',
    isAdapter,
    takesGuidance,
  };
}

/** In lower case, with `photonLCM` as `photon_lcm`, and `4-steps` as `4steps`. */
function separated(name: string): string {
  return name
    .replace(/([a-z\d])(LCM|PCM|TCD|DMD)/g, '$1_$2')
    .toLowerCase()
    .replace(/(\d+)[-_ ]+(steps?)/g, '$1$2');
}
