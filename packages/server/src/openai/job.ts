import { schedulerNamed } from '@sd/pipeline';
import type { GenerateRequest, Job } from '../engine.js';
import { HttpError, invalidField } from '../http/http-error.js';
import { checkLimits, type Limits } from '../limits.js';
import type { ImageFields } from './fields.js';

/** Steps for OpenAI's qualities; the others leave them to the model. */
const qualitySteps: Readonly<Record<string, number>> = { low: 12, high: 40, hd: 40 };

/** A job from the fields of a request, checked as far as that is possible without the model. Throws an HttpError. */
export function jobFrom(
  fields: ImageFields,
  limits: Limits,
  images: Pick<GenerateRequest, 'image' | 'mask' | 'width' | 'height' | 'fit'> = {},
): Omit<Job, 'id'> {
  const { n, model, user, partial_images: previews = 0, output_format: format = 'png' } = fields;
  const request = {
    prompt: promptOf(fields),
    ...images,
    ...sizeOf(fields.size),
    ...optionsFrom(fields),
    count: n ?? 1,
  };
  checkLimits(request, limits, {
    count: 'n',
    steps: 'steps',
    size: 'size',
    prompt: 'prompt',
    negativePrompt: 'negative_prompt',
  });
  if (fields.background === 'transparent') {
    throw invalidField('background', 'Stable Diffusion draws opaque images: choose opaque or auto.');
  }
  return { model, user, request, previews, output: { format, quality: fields.output_compression } };
}

function promptOf({ prompt }: ImageFields): string {
  if (prompt !== undefined) return prompt;
  throw new HttpError({
    status: 400,
    code: 'missing_required_parameter',
    message: "Missing required parameter: 'prompt'.",
    param: 'prompt',
  });
}

function optionsFrom(fields: ImageFields): Partial<GenerateRequest> {
  const { seed, guidance_scale, negative_prompt, scheduler, syntax, clip_skip, strength, quality = 'auto' } = fields;
  const given: Partial<GenerateRequest> = {
    seed,
    steps: fields.steps ?? qualitySteps[quality],
    guidanceScale: guidance_scale,
    negativePrompt: negative_prompt,
    scheduler: scheduler === undefined ? undefined : schedulerNamed(scheduler),
    syntax,
    clipSkip: clip_skip,
    strength: strength ?? (fields.input_fidelity === 'high' ? 0.6 : undefined),
    loras: strengthsOf(fields.loras),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function strengthsOf(loras: ImageFields['loras']): Record<string, number> | undefined {
  if (loras === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(loras).map(([name, strength]) => {
      if (typeof strength === 'number' && Number.isFinite(strength)) return [name, strength];
      throw invalidField(`loras.${name}`, 'must be a number, the strength of the LoRA.');
    }),
  );
}

/** The size in `1024x1024`; empty for `auto`. */
function sizeOf(size = 'auto'): Pick<GenerateRequest, 'width' | 'height' | 'fit'> {
  if (size === 'auto') return {};
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? [];
  if (width === undefined)
    throw invalidField('size', `must be auto, or width and height like 1024x1024, not ${JSON.stringify(size)}.`);
  return { width: Number(width), height: Number(height) };
}
