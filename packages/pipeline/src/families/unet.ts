import { lazyImport, type NoisePredictor, type Source } from '@sd/core';
import { type AttentionHeads, originalUnetNames, unetConfigFromShapes } from '@sd/unet/single-file';
import { hasFile, readConfig, renameTensors } from '@sd/weights';
import { autoencoderAlone, autoencoderPart } from './autoencoder.js';
import { clipPart } from './clip.js';
import type { Component, FileLayout, FilePart, Json, SplitFile, Tensors } from './family.js';

/** The U-Net as a component. Its attention heads, which differ between families, cannot be read from shapes. */
export function unetComponent(heads: AttentionHeads): Component<NoisePredictor> {
  return {
    name: 'unet',
    classes: ['UNet2DConditionModel'],
    load: async (from) => (await lazyImport(() => import('@sd/unet'))).loadUnet(from),
    settings: async () => (await lazyImport(() => import('@sd/unet'))).unetSettings,
    async loadOnnx({ folder = 'unet', ...from }) {
      const sampleSize = await exportedSampleSize(from.source);
      return (await lazyImport(() => import('@sd/unet/onnx'))).loadOnnxUnet({ ...from, folder, sampleSize });
    },
    configFromShapes: (path, tensors, known) =>
      unetConfigFromShapes(path, tensors, known, 'attention_head_dim' in known ? undefined : heads),
  };
}

/** ONNX exports do not contain the training size; those that predict v are the 768-pixel model of Stable Diffusion 2. */
async function exportedSampleSize(source: Source): Promise<number | undefined> {
  const file = 'scheduler/scheduler_config.json';
  if (!(await hasFile(source, file))) return undefined;
  return (await readConfig(source, file)).get('prediction_type') === 'v_prediction' ? 96 : undefined;
}

const unetPart = (mark: string): FilePart => ({
  mark,
  component: 'unet',
  translate: (path, tensors) =>
    tensors.has('conv_in.weight') ? tensors : renameTensors(path, tensors, originalUnetNames(tensors.keys())),
});

/** A tensor of a U-Net that takes a pooled text embedding, in the original layout. */
const pooledText = 'model.diffusion_model.label_emb.0.0.weight';

/** Files of Stable Diffusion 1, 2 and XL: whole models in the original layout, or single components. */
export const unetLayout: FileLayout = {
  prefixes: [
    unetPart('model.diffusion_model.'),
    autoencoderPart('first_stage_model.'),
    clipPart('cond_stage_model.transformer.', 'text_encoder'),
    clipPart('cond_stage_model.model.', 'text_encoder'),
    // stable-diffusion.cpp's names for SDXL, and ComfyUI's for all.
    clipPart('cond_stage_model.1.transformer.', 'text_encoder_2'),
    clipPart('text_encoders.clip_l.transformer.', 'text_encoder'),
    clipPart('text_encoders.clip_h.transformer.', 'text_encoder'),
    clipPart('text_encoders.clip_g.transformer.', 'text_encoder_2'),
    // Stability's later code: the first encoder of SDXL, the only one of its refiner, or that of Stable Diffusion 2.
    clipPart('conditioner.embedders.0.transformer.', 'text_encoder'),
    clipPart('conditioner.embedders.0.model.', (names) => (names.has(pooledText) ? 'text_encoder_2' : 'text_encoder')),
    clipPart('conditioner.embedders.1.model.', 'text_encoder_2'),
    clipPart('conditioner.embedders.1.transformer.', 'text_encoder_2'),
    // A diffusers folder in one file.
    unetPart('unet.'),
    autoencoderPart('vae.'),
    clipPart('text_encoder.', 'text_encoder'),
    clipPart('text_encoder_2.', 'text_encoder_2'),
    unetPart('diffusion_model.'),
  ],
  alone: [
    unetPart('input_blocks.0.0.weight'),
    unetPart('down_blocks.0.resnets.0.time_emb_proj.weight'),
    ...autoencoderAlone,
    clipPart('text_model.embeddings.token_embedding.weight', 'text_encoder'),
    // As transformers 5 saves a CLIPTextModel.
    clipPart('embeddings.token_embedding.weight', 'text_encoder'),
  ],
  leftOver:
    /^(model_ema\.|loss\.|(first_stage_model|cond_stage_model)\.loss\.|betas$|alphas_cumprod|sqrt_|log_one_minus|posterior_|logvar$|denoiser\.sigmas$|v_pred$|ztsnr$|edm_mean$|edm_std$|edm_vpred\.|global_step$|conditioner\.embedders\.\d\.logit_scale$|cond_stage_model\.logit_scale$|text_encoders\.\w+\.logit_scale$)/,
  matches: () => true,
};

/** Traits of a U-Net that its tensors show. */
export interface UnetTraits {
  readonly inChannels: number;
  /** Width of the context that it attends to. */
  readonly contextWidth: number;
  readonly linearProjection: boolean;
  /** Whether it takes a pooled text embedding and micro-conditioning, as SDXL does. */
  readonly addsPooledText: boolean;
}

/** Traits of the U-Net in a file; undefined if it has none. */
export function unetTraits({ components: { unet } }: SplitFile): UnetTraits | undefined {
  const shape = unet?.get('conv_in.weight')?.shape;
  if (unet === undefined || shape?.length !== 4) return undefined;
  const contextWidth = widthOf(unet, '.attn2.to_k.weight');
  if (contextWidth === undefined) return undefined;
  return {
    inChannels: shape[1],
    contextWidth,
    linearProjection: [...unet].some(([name, view]) => name.endsWith('.proj_in.weight') && view.shape.length === 2),
    addsPooledText: unet.has('add_embedding.linear_1.weight'),
  };
}

function widthOf(tensors: Tensors, ending: string): number | undefined {
  return [...tensors].find(([name]) => name.endsWith(ending))?.[1].shape[1];
}

/** The task of a U-Net by its number of input channels. */
const purposes: Readonly<Record<number, string>> = { 4: 'text to image', 9: 'inpainting', 8: 'instruct-pix2pix' };

/** What `inspect()` reports about a file with a U-Net. */
export function unetDetails(file: SplitFile): Readonly<Record<string, string | number | boolean | undefined>> {
  const { inChannels, contextWidth } = unetTraits(file)!;
  return {
    purpose: purposes[inChannels],
    channels: inChannels,
    contextWidth,
    guidanceInput: file.components.unet!.has('time_embedding.cond_proj.weight') || undefined,
  };
}

/** Whether a U-Net is class-conditional, which is not supported. */
export function hasClasses({ components: { unet } }: SplitFile): boolean {
  return unet?.has('label_emb.weight') === true || unet?.has('class_embedding.weight') === true;
}

/** The noise schedule that these families were trained with, as in their scheduler's config. */
export const trainedBetas: Json = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  clip_sample: false,
  steps_offset: 1,
};
