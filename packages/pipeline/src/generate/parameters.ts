import type { ImageParameters } from '@sd/image';
import { promptText } from './options/prompts.js';
import type { Request } from './request.js';

/** The settings of one image, under A1111's names, for its metadata. */
export function parametersOf(request: Request, index: number): ImageParameters {
  const { promptSettings, steps, scheduler, guidance, width, height, seeds, initial, variation, upscale } = request;
  const { negative, clipSkip } = promptSettings;
  return {
    prompt: promptText(promptSettings),
    negativePrompt: negative?.text ?? '',
    settings: {
      Steps: steps,
      Sampler: scheduler.name,
      ...guidance.settings,
      Seed: seeds[index],
      Size: `${width}x${height}`,
      'Clip skip': clipSkip === 0 ? undefined : clipSkip + 1,
      'Denoising strength': upscale?.strength ?? initial.range.strength,
      'Variation seed': variation?.seeds[index],
      'Variation seed strength': variation?.strength,
      'Hires resize': upscale && `${upscale.width}x${upscale.height}`,
      'Hires steps': upscale?.steps,
      'Hires upscaler': upscale && 'Latent',
    },
  };
}
