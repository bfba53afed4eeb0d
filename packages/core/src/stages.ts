import type { TensorInfo } from './backend.js';
import type { Tensor } from './tensor.js';

/** One window of tokens: start token, text, end token, padding. */
export interface Tokens {
  /** `maxLength` token ids. */
  readonly ids: Int32Array;
  /** Number of tokens before the padding, including the start and end tokens. */
  readonly length: number;
  /** The rest of the text, which did not fit; empty if all of it did. */
  readonly truncated: string;
}

/** Turns text into tokens. */
export interface Tokenizer {
  /** Length of a window in tokens: 77 for CLIP. */
  readonly maxLength: number;
  encode(text: string): Tokens;
}

/** A text encoder's output for one window. */
export interface TextEmbedding {
  /** One vector per token, [tokens, width]: 77 x 768 in Stable Diffusion 1. */
  readonly hidden: Tensor<'float32'>;
  /** One vector for the whole text, [width]: the hidden state at the end token, or its projection. */
  readonly pooled?: Tensor<'float32'>;
}

/** Inputs that condition a model in addition to its main ones, by name: an image's tokens, an adapter's strength. */
export type Conditions = Readonly<Record<string, Tensor<'float32'>>>;

export interface TextEncoderOptions {
  /** How many of the last layers to skip, as diffusers' `clip_skip`: 0 by default. */
  readonly clipSkip?: number;
  /**
   * Which hidden states to return: those after the final layer norm (Stable Diffusion 1 and 2; the default), or those of the
   * second-to-last layer, not normalized (both encoders of SDXL).
   */
  readonly output?: 'normalized' | 'penultimate';
  /** Inputs that adapters added to the encoder, such as `strength.style`, [1]. A strength that is left out is 0. */
  readonly conditions?: Conditions;
  readonly signal?: AbortSignal;
}

/**
 * What a stage may implement if it holds memory between calls, such as a session and its weights. A stage that holds none
 * needs none of these.
 */
export interface StageResources {
  /** Loads now what the first call would load otherwise. */
  load?(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Frees the memory until the next call, which loads it again. */
  release?(): Promise<void>;
  /** Frees the memory for good; the stage cannot be used afterwards. */
  dispose?(): Promise<void>;
}

/** Turns tokens into embeddings. */
export interface TextEncoder extends StageResources {
  /** Encodes a batch of windows, and returns one embedding for each. */
  encode(tokens: readonly Tokens[], options?: TextEncoderOptions): Promise<TextEmbedding[]>;
}

/** One call of a noise predictor: a batch of n samples at one noise level. */
export interface NoisePredictorInput {
  /** Noisy latents, already scaled as the model expects them: [n, inChannels, height / 8, width / 8]. */
  readonly sample: Tensor<'float32'>;
  /** The noise level as a training timestep, 0 to 999 in Stable Diffusion 1; may be fractional. */
  readonly timestep: number;
  /** Text embeddings for cross-attention, [n, tokens, width]. */
  readonly context: Tensor<'float32'>;
  /**
   * Further inputs of the model, by name: SDXL's `text_embeds` [n, width] and `time_ids` [n, 6], an LCM's `timestep_cond`,
   * an adapter's `strength.style` [1]. An adapter's input that is left out is zero. It is an error to leave out one of the
   * model's `needs`, or to pass a name that the model does not have.
   */
  readonly conditions?: Conditions;
}

/**
 * The denoising network: a U-Net or a transformer. Whether its output means epsilon, v, x0 or a flow's velocity is up to the
 * scheduler's `prediction`.
 */
export interface NoisePredictor extends StageResources {
  /** Channels of `sample`: those of the latents, and more for inpainting (9) or InstructPix2Pix (8). */
  readonly inChannels: number;
  /** Channels of the output: those of the latents. */
  readonly outChannels: number;
  /** Height and width, in latents, of the images that it was trained on: 64 in Stable Diffusion 1. */
  readonly sampleSize: number;
  /** The `conditions` that each call must have: SDXL's `text_embeds` and `time_ids`, an LCM's `timestep_cond`. None by default. */
  readonly needs?: readonly TensorInfo[];
  /**
   * About how many bytes a call with a sample [n, inChannels, height, width] takes, besides the weights. Runs that would take
   * too much are refused; without this method, the stage is not counted.
   */
  workingBytes?(n: number, height: number, width: number): number;
  /** Returns the model's raw output, [n, outChannels, height / 8, width / 8]. */
  predict(input: NoisePredictorInput, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
}

/** The encoder's diagonal Gaussian over latents, scaled as the noise predictor expects them: `mean + std * noise` is a sample. */
export interface LatentDistribution {
  readonly mean: Tensor<'float32'>;
  /** Left out by deterministic encoders; then `mean` is the sample, and no noise is drawn. */
  readonly std?: Tensor<'float32'>;
  /** The mean before scaling, which InstructPix2Pix models take as input. */
  readonly unscaled?: Tensor<'float32'>;
}

/**
 * Turns images into latents and back. Latents are always scaled as the noise predictor expects them: the VAE applies its
 * scaling factor itself.
 */
export interface Vae extends StageResources {
  readonly latentChannels: number;
  /** Pixels per latent along each side: 8 in Stable Diffusion. */
  readonly scaleFactor: number;
  /** Decodes latents [n, latentChannels, h, w] to images [n, 3, h * scaleFactor, w * scaleFactor], about -1 to 1. */
  decode(latents: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
  /** About how many bytes `decode` takes for latents [n, latentChannels, h, w], besides the weights, as in `NoisePredictor`. */
  workingBytes?(n: number, height: number, width: number): number;
  /** Encodes images [n, 3, height, width], -1 to 1. Needed only by runs that start from an image. */
  encode?(image: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<LatentDistribution>;
  /** A fast approximation of `decode` for previews, [n, 3, any height, any width], about -1 to 1; `decode` by default. */
  preview?(latents: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
}

/**
 * How an image is prepared for an image encoder: resized, cropped, and its 8-bit values `v` mapped to
 * `(v * rescale - mean) / std`.
 */
export interface ImagePreprocessing {
  /** The size to scale to, bicubic with antialiasing; not scaled if left out. */
  readonly resize?: { readonly shortestEdge: number } | { readonly width: number; readonly height: number };
  /** The size of the center crop; smaller images are padded with black. Not cropped if left out. */
  readonly crop?: { readonly width: number; readonly height: number };
  readonly rescale: number;
  /** Per channel: red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** An image encoder's output for one image. */
export interface ImageEmbedding {
  /** One vector for the image, in the space that CLIP shares between texts and images: [width]. */
  readonly embedding: Tensor<'float32'>;
  /** The second-to-last layer's vectors: one for the image, then one per patch, [tokens, width]. */
  readonly hidden: Tensor<'float32'>;
}

/** Turns images into embeddings. */
export interface ImageEncoder extends StageResources {
  readonly preprocessing: ImagePreprocessing;
  /** Encodes images that were prepared as `preprocessing` describes, [n, 3, height, width]; returns one embedding for each. */
  encode(pixels: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<ImageEmbedding[]>;
}
