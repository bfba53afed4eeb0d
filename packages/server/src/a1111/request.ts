import type { GenerateRequest } from '../engine.js';
import { HttpError, invalidField } from '../http/http-error.js';
import { checkLimits, type Limits } from '../limits.js';
import type { Txt2imgFields } from './fields.js';
import type { A1111Options } from './options.js';
import { schedulerOf } from './samplers.js';

/** A request with its seeds chosen, so that it can be continued at any of its images. */
export interface SeededRequest extends GenerateRequest {
  readonly seed: number;
  readonly count: number;
}

/**
 * The options of `generate()` for A1111's fields, checked as far as that is possible without the model. A1111's random
 * numbers are those of a NVIDIA GPU. Throws an HttpError.
 */
export function requestFrom(fields: Txt2imgFields, settings: A1111Options, limits: Limits): SeededRequest {
  refuseUnsupported(fields);
  const { subseed, subseed_strength: variationStrength = 0 } = fields;
  const { CLIP_stop_at_last_layers: layers = 1 } = settings;
  const request: SeededRequest = {
    prompt: fields.prompt ?? '',
    ...given({
      negativePrompt: fields.negative_prompt,
      steps: fields.steps,
      guidanceScale: fields.cfg_scale,
      width: fields.width || undefined,
      height: fields.height || undefined,
      clipSkip: layers === 1 ? undefined : layers - 1,
      scheduler: schedulerOf(fields.sampler_name ?? fields.sampler_index, fields.scheduler ?? undefined),
      upscale: upscaleOf(fields),
    }),
    syntax: 'a1111',
    rng: 'nv-philox',
    seed: seedOf(fields.seed),
    count: (fields.batch_size ?? 1) * (fields.n_iter ?? 1),
    ...(variationStrength > 0 && { variationStrength, variationSeed: seedOf(subseed) }),
  };
  checkA1111(request, limits);
  return request;
}

/** Throws an HttpError for a request beyond the limits. */
export function checkA1111(request: SeededRequest, limits: Limits): void {
  checkLimits(request, limits, {
    count: 'batch_size',
    steps: 'steps',
    size: 'width',
    prompt: 'prompt',
    negativePrompt: 'negative_prompt',
  });
}

/** The second pass of `enable_hr`. */
function upscaleOf(fields: Txt2imgFields): GenerateRequest['upscale'] {
  if (fields.enable_hr !== true) return undefined;
  const { hr_upscaler: upscaler = 'Latent', hr_scale: factor = 2, hr_resize_x: x = 0, hr_resize_y: y = 0 } = fields;
  if (!upscaler.startsWith('Latent')) {
    throw invalidField('hr_upscaler', `${JSON.stringify(upscaler)} is not supported: choose Latent.`);
  }
  const { width = 512, height = 512 } = fields;
  const size =
    x === 0 && y === 0
      ? { factor }
      : { width: multipleOf8(x || (y * width) / height), height: multipleOf8(y || (x * height) / width) };
  const steps = fields.hr_second_pass_steps || undefined;
  return { ...size, ...given({ steps, strength: fields.denoising_strength ?? 0.75 }) };
}

const multipleOf8 = (length: number) => Math.round(length / 8) * 8;

/** What would change the image, but cannot. */
function refuseUnsupported({
  restore_faces,
  tiling,
  script_name,
  alwayson_scripts = {},
  refiner_checkpoint,
}: Txt2imgFields) {
  const found = Object.entries({
    restore_faces,
    tiling,
    script_name,
    alwayson_scripts: Object.keys(alwayson_scripts).length > 0,
    refiner_checkpoint,
  }).find(([, value]) => value !== undefined && value !== false && value !== '');
  if (found === undefined) return;
  const message = `${found[0]} is not supported by this server: leave it out.`;
  throw new HttpError({ status: 422, code: 'unsupported', message, param: found[0] });
}

/** The seeds that A1111 draws have 32 bits. */
function seedOf(seed = -1): number {
  return seed === -1 ? Math.floor(Math.random() * 2 ** 32) : seed;
}

/** The values that are given. */
function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
