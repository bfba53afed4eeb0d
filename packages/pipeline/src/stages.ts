import {
  type NoisePredictor,
  type Scheduler,
  type StageResources,
  settleAll,
  type TextEncoder,
  type Tokenizer,
  type Vae,
} from '@sd/core';

/** A text encoder and its tokenizer. */
export interface TextStage {
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /**
   * Its name in diffusers: by default `text_encoder` for the first, `text_encoder_2` for the second. SDXL's refiner has only
   * the second.
   */
  readonly component?: string;
}

/** The parts of a pipeline: any objects that implement the interfaces. */
export interface Stages {
  /** One in Stable Diffusion 1 and 2, two in SDXL, three in Stable Diffusion 3. */
  readonly textEncoders: readonly TextStage[];
  readonly noisePredictor: NoisePredictor;
  readonly vae: Vae;
  /** A smaller decoder for previews, such as a tiny autoencoder; the VAE by default. */
  readonly previewVae?: (Pick<Vae, 'decode'> & StageResources) | undefined;
  readonly scheduler: Scheduler;
}

/** The stages that may hold memory between calls. */
export function heldStages(stages: Stages): StageResources[] {
  const { textEncoders, noisePredictor, vae, previewVae } = stages;
  const encoders = textEncoders.map(({ textEncoder }) => textEncoder);
  return [...encoders, noisePredictor, vae, previewVae].filter((stage) => stage !== undefined);
}

export async function releaseTextEncoders({ textEncoders }: Stages): Promise<void> {
  await settleAll(
    textEncoders.map(
      ({ textEncoder }) =>
        () =>
          textEncoder.release?.(),
    ),
  );
}
