import { InvalidOptionError } from '@sd/core';
import type { Stages } from './stages.js';

/** What the stages say of the runs that they can do. */
export interface StageFacts {
  /** Channels of the latents. */
  readonly channels: number;
  /** Pixels a side for each latent. */
  readonly factor: number;
  /** The side, in latents, that the model was trained on. */
  readonly sampleSize: number;
  /**
   * What the U-Net is shown beside the sample: a mask and the picture without what is repainted, or the picture to be
   * changed.
   */
  readonly shown: 'nothing' | 'mask' | 'picture';
  /** What the U-Net is told of sizes: an SDXL model's six numbers, or the five of its refiner, with a score. */
  readonly told: 'nothing' | 'sizes' | 'score';
  /** Width of the guidance scale's embedding, for models that guide themselves by it. */
  readonly guidanceWidth: number | undefined;
  readonly twoEncoders: boolean;
  /** Is the embedding of a negative prompt that is not given all zeros? */
  readonly zeroNegative: boolean;
}

/** What a model's index says beside its parts. */
export interface ModelFlags {
  /**
   * SDXL: is the embedding of a negative prompt that is not given all zeros (`force_zeros_for_empty_prompt`), rather than that
   * of an empty text? True by default, as in diffusers.
   */
  readonly zeroNegative?: boolean;
  /** SDXL's refiner: is the model told an aesthetic score (`requires_aesthetics_score`)? False by default. */
  readonly aestheticScore?: boolean;
}

/** Throws an InvalidOptionError for stages that do not go together. */
export function factsOf(stages: Stages, { zeroNegative = true, aestheticScore = false }: ModelFlags): StageFacts {
  const { unet, vae, tokenizer2, textEncoder2 } = stages;
  const channels = vae.latentChannels;
  const shown = ([0, 1 + channels, channels] as const).indexOf(unet.inChannels - channels);
  if (shown < 0 || unet.outChannels !== channels) {
    throw new InvalidOptionError(
      'unet',
      `takes ${unet.inChannels} channels and gives ${unet.outChannels}, but the VAE's latents have ${channels}: it must take ${channels}, or ${2 * channels + 1} for inpainting, or ${2 * channels} for changing pictures, and give ${channels}.`,
    );
  }
  if ((tokenizer2 === undefined) !== (textEncoder2 === undefined)) {
    const missing = tokenizer2 === undefined ? 'tokenizer2' : 'textEncoder2';
    throw new InvalidOptionError(missing, 'is missing: the second text encoder and its tokenizer go together.');
  }
  const needs = (name: string) => unet.needs?.find((input) => input.name === name);
  const told = needs('time_ids') === undefined ? 'nothing' : aestheticScore ? 'score' : 'sizes';
  return {
    channels,
    factor: vae.scaleFactor,
    sampleSize: unet.sampleSize,
    shown: (['nothing', 'mask', 'picture'] as const)[shown]!,
    told,
    guidanceWidth: needs('timestep_cond')?.dims[1] as number | undefined,
    twoEncoders: textEncoder2 !== undefined,
    zeroNegative: told !== 'nothing' && zeroNegative,
  };
}
