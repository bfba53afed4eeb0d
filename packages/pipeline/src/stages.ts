import type { NoisePredictor, Scheduler, StageResources, TextEncoder, Tokenizer, Vae } from '@sd/core';

/** A text encoder and the tokenizer that it reads with. */
export interface TextStage {
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /** diffusers' name: by default `text_encoder` for the first, `text_encoder_2` for the second. SDXL's refiner has the second alone. */
  readonly component?: string;
}

/** The objects that a pipeline is made of. Any that meet the interfaces will do. */
export interface Stages {
  /** One in Stable Diffusion 1 and 2, two in SDXL, three in Stable Diffusion 3. */
  readonly textEncoders: readonly TextStage[];
  readonly noisePredictor: NoisePredictor;
  readonly vae: Vae;
  /** Makes the previews in place of the VAE: a tiny autoencoder. */
  readonly previewVae?: (Pick<Vae, 'decode'> & StageResources) | undefined;
  readonly scheduler: Scheduler;
}

/** The stages that hold something between uses. */
export function heldStages(stages: Stages): StageResources[] {
  const { textEncoders, noisePredictor, vae, previewVae } = stages;
  const encoders = textEncoders.map(({ textEncoder }) => textEncoder);
  return [...encoders, noisePredictor, vae, previewVae].filter((stage) => stage !== undefined);
}

export async function releaseTextEncoders({ textEncoders }: Stages): Promise<void> {
  await Promise.all(textEncoders.map(({ textEncoder }) => textEncoder.release?.()));
}
