import type { TensorInfo } from './backend.js';
import type { Tensor } from './tensor.js';

/** One window of tokens, start and end tokens included, filled up with padding. */
export interface Tokens {
  /** Token ids, as many as the tokenizer's `maxLength`. */
  readonly ids: Int32Array;
  /** How many of them come before the padding. */
  readonly length: number;
  /** The end of the text that did not fit, empty when all of it did. */
  readonly truncated: string;
}

/** Text to tokens. */
export interface Tokenizer {
  /** Tokens of a window: 77 in CLIP. */
  readonly maxLength: number;
  encode(text: string): Tokens;
}

/** What a text encoder says of one prompt. */
export interface TextEmbedding {
  /** A vector a token, [tokens, width]: 77 x 768 in SD 1. */
  readonly hidden: Tensor<'float32'>;
  /** A vector for the whole, [width]: the hidden state at the end token, or its projection. */
  readonly pooled?: Tensor<'float32'>;
}

/** Named values that condition a model beside its main inputs: a picture's tokens, an adapter's strength. */
export type Conditions = Readonly<Record<string, Tensor<'float32'>>>;

export interface TextEncoderOptions {
  /** How many of the last layers to leave out, as in diffusers' `clip_skip`: 0 leaves out none. */
  readonly clipSkip?: number;
  /**
   * Which hidden states: those after the final layer norm (SD 1 and 2; the default), or the ones that the last layer but one
   * leaves, not normalized (both encoders of SDXL).
   */
  readonly output?: 'normalized' | 'penultimate';
  /** Values of what was added to the encoder, such as `strength.style`, [1]. An adapter's strength is 0 where it is not given. */
  readonly conditions?: Conditions;
  readonly signal?: AbortSignal;
}

/** What a stage may hold between uses, such as a session with its weights. All of it is optional: a stage may hold nothing. */
export interface StageResources {
  /** Makes ready what would else be made at first use. */
  load?(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Frees what is held; the next use makes it again. */
  release?(): Promise<void>;
  /** Frees what is held, for good. */
  dispose?(): Promise<void>;
}

/** Tokens to embeddings. */
export interface TextEncoder extends StageResources {
  encode(tokens: readonly Tokens[], options?: TextEncoderOptions): Promise<TextEmbedding[]>;
}

export interface NoisePredictorInput {
  /** Noisy latents, scaled as the model was trained to see them: [n, inChannels, height / 8, width / 8]. */
  readonly sample: Tensor<'float32'>;
  /** Training step of the noise, 0 to 999 in SD 1; may be fractional. */
  readonly timestep: number;
  /** Text embeddings: [n, tokens, width]. */
  readonly context: Tensor<'float32'>;
  /**
   * What the model hears beside text, by the names of its inputs: `text_embeds` [n, width] and `time_ids` [n, 6] of SDXL,
   * `timestep_cond` of LCM, `strength.style` [1] of an adapter. What an extension brought and is not given counts as zero;
   * what the model itself needs and is not given is an error, as is a name that it does not know.
   */
  readonly conditions?: Conditions;
}

/** Predicts what is noise. What its output means (epsilon, v, x0) is the scheduler's `prediction`. */
export interface NoisePredictor extends StageResources {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Height and width of the latents that it was trained on. */
  readonly sampleSize: number;
  /** The `conditions` that it cannot do without: `text_embeds` and `time_ids` of SDXL, `timestep_cond` of LCM. None if left out. */
  readonly needs?: readonly TensorInfo[];
  /** The model's raw output, [n, outChannels, height / 8, width / 8]. */
  predict(input: NoisePredictorInput, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
}

/** Latents as a diagonal Gaussian, in the space that the U-Net works in: `mean + std * noise` is a sample. */
export interface LatentDistribution {
  readonly mean: Tensor<'float32'>;
  /** Left out where the encoder gives latents and no distribution; then nothing is drawn. */
  readonly std?: Tensor<'float32'>;
  /** The mean before it was scaled to that space, which is what the U-Nets of instruct-pix2pix are shown. */
  readonly unscaled?: Tensor<'float32'>;
}

/** Pictures to latents and back. Latents are in the space that the U-Net works in: scaling is the VAE's own affair. */
export interface Vae extends StageResources {
  readonly latentChannels: number;
  /** Pixels a side for each latent: 8 in Stable Diffusion. */
  readonly scaleFactor: number;
  /** Latents [n, latentChannels, h, w] to a picture [n, 3, h * scaleFactor, w * scaleFactor], about -1 to 1. */
  decode(latents: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
  /** A picture [n, 3, H, W], -1 to 1, to the distribution of its latents. */
  encode?(image: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<LatentDistribution>;
  /** A cheap picture of latents, for looking on while they are made: [n, 3, any height, any width], about -1 to 1. */
  preview?(latents: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
}

/** How a picture is made ready for an image encoder: scaled, cut, and its 8-bit values `v` as `(v * rescale - mean) / std`. */
export interface ImagePreprocessing {
  /** What it is scaled to, bicubic with antialiasing; as it is where this is left out. */
  readonly resize?: { readonly shortestEdge: number } | { readonly width: number; readonly height: number };
  /** How much of the middle is kept; black is added where there is less. */
  readonly crop?: { readonly width: number; readonly height: number };
  readonly rescale: number;
  /** Of red, green and blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What an image encoder says of one picture. */
export interface ImageEmbedding {
  /** A vector for the whole, in the space that texts and pictures share: [width]. */
  readonly embedding: Tensor<'float32'>;
  /** A vector for the whole and one a patch, as the last layer but one leaves them: [tokens, width]. */
  readonly hidden: Tensor<'float32'>;
}

/** Pictures to embeddings. */
export interface ImageEncoder extends StageResources {
  readonly preprocessing: ImagePreprocessing;
  /** Pictures that were made ready as `preprocessing` says, [n, 3, height, width], to one embedding each. */
  encode(pixels: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<ImageEmbedding[]>;
}
