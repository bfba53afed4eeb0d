import type { NoisePredictor, Scheduler, StageResources, TextEncoder, Tokenizer, Vae } from '@sd/core';

/** The objects that a pipeline is made of. Any that meet the interfaces will do. */
export interface Stages {
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
  /** The second of SDXL's two text encoders, and its tokenizer. */
  readonly tokenizer2?: Tokenizer;
  readonly textEncoder2?: TextEncoder;
  readonly unet: NoisePredictor;
  readonly vae: Vae;
  /** Makes the previews in place of the VAE: a tiny autoencoder. */
  readonly previewVae?: Pick<Vae, 'decode'> & StageResources;
  readonly scheduler: Scheduler;
}

/** The stages that hold something between uses. */
export function heldStages({ textEncoder, textEncoder2, unet, vae, previewVae }: Stages): StageResources[] {
  return [textEncoder, textEncoder2, unet, vae, previewVae].filter((stage) => stage !== undefined);
}

export async function releaseTextEncoders({ textEncoder, textEncoder2 }: Stages): Promise<void> {
  await Promise.all([textEncoder.release?.(), textEncoder2?.release?.()]);
}
