// scheduler_config.json with values that no scheduler has, by every class; plans, and short runs on arithmetic.
import { parseSchedulerConfig, schedulerClasses, schedulerFromConfig, stableDiffusionConfig } from '@sd/scheduler';
import { hostileJson, jsonText, mutateJson } from '../json.js';

const base = {
  ...{
    _class_name: 'DDIMScheduler',
    beta_start: 0.00085,
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    steps_offset: 1,
  },
  ...{ num_train_timesteps: 1000, prediction_type: 'epsilon', timestep_spacing: 'leading', trained_betas: null },
  ...{
    clip_sample: false,
    clip_sample_range: 1,
    thresholding: false,
    dynamic_thresholding_ratio: 0.995,
    sample_max_value: 1,
  },
  ...{ set_alpha_to_one: false, rescale_betas_zero_snr: false },
};
const names = [
  ...Object.keys(base).slice(1),
  ...[
    'skip_prk_steps',
    'variance_type',
    'interpolation_type',
    'timestep_type',
    'final_sigmas_type',
    'use_karras_sigmas',
  ],
  ...[
    'use_exponential_sigmas',
    'use_beta_sigmas',
    'use_lu_lambdas',
    'use_flow_sigmas',
    'flow_shift',
    'sigma_min',
    'sigma_max',
  ],
  ...['sigma_data', 'sigma_schedule', 'rho', 'solver_order', 'solver_type', 'algorithm_type', 'lower_order_final'],
  ...['euler_at_final', 'lambda_min_clipped', 'predict_x0', 'disable_corrector', 'predictor_order', 'corrector_order'],
  ...[
    'original_inference_steps',
    'timestep_scaling',
    'shift',
    'use_dynamic_shifting',
    'time_shift_type',
    'shift_terminal',
  ],
  ...['stochastic_sampling', 'invert_sigmas', 'base_shift', 'max_shift', 'noise_sampler_seed'],
];
const numbers = [
  0,
  1,
  2,
  3,
  10,
  50,
  1000,
  -1,
  -1000,
  0.5,
  0.001,
  1e-30,
  1e30,
  1e308,
  -1e308,
  1e5,
  2 ** 31,
  2 ** 53,
  1e10,
];
const words = [
  ...['linear', 'scaled_linear', 'squaredcos_cap_v2', 'leading', 'trailing', 'linspace', 'zero', 'sigma_min', 'karras'],
  ...[
    'exponential',
    'epsilon',
    'v_prediction',
    'sample',
    'flow_prediction',
    'midpoint',
    'heun',
    'bh1',
    'bh2',
    'logrho',
  ],
  ...[
    'dpmsolver++',
    'dpmsolver',
    'sde-dpmsolver++',
    'deis',
    'data_prediction',
    'fixed_small',
    'log_linear',
    '__proto__',
  ],
];
const lists = [[0.1, 0.2], [], [0], [1], [2, 3], [-1, 0.5], [1e300]];

function configOf(random) {
  if (random.chance(0.01)) return hostileJson(random);
  const config = { ...base };
  const value = () => random.pick([...numbers, ...words, ...lists, true, false]);
  for (let k = random.range(0, 4); k > 0; k--) config[random.pick(names)] = value();
  return random.chance(0.2) ? mutateJson(random, config, 1) : config;
}

async function draw({ sampler, levels }) {
  let [calls, steps] = [0, 0];
  const denoise = async (x) => {
    if (++calls > 5000) throw new Error('calls without end');
    return x.map((value) => value * 0.5);
  };
  const denoiser = Object.assign(denoise, { unconditional: async (x) => x });
  const noise = () => Float32Array.of(0.3, -0.2);
  for await (const _ of sampler(denoiser, Float32Array.of(1, -1), levels, { noise })) {
    if (++steps > 5000) throw new Error('steps without end');
  }
}

export default () => ({
  generate(random) {
    const named = random.chance(0.9)
      ? random.pick(schedulerClasses)
      : random.pick(['__proto__', 'constructor', '', 'X', undefined, 5]);
    const number = () => random.pick(numbers);
    return {
      ...{ config: configOf(random), class: named, asText: random.chance(0.3), old: random.chance(0.3) },
      steps: random.pick([1, 2, 3, 4, 5, 20, 50, 999, 1000, 1001, 0, -1, 0.5, Number.NaN, '4', 2 ** 40]),
      step: random.chance(0.1) ? { eta: number(), s_churn: number(), s_noise: number(), s_tmin: number() } : undefined,
      mu: random.chance(0.2) ? number() : undefined,
    };
  },
  async run({ config, class: name, steps, asText, old, step, mu }) {
    let read = asText ? parseSchedulerConfig(jsonText(config)) : config;
    if (old) read = stableDiffusionConfig(read);
    const scheduler = schedulerFromConfig(read, {
      ...(name !== undefined && { class: name }),
      ...(step && { step }),
      ...(mu !== undefined && { mu }),
    });
    const plan = scheduler.plan(steps);
    if (steps <= 5) await draw(plan);
  },
});
