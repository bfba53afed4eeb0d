import { flag, numberIn, object, oneOf, text, wholeIn } from '../http/fields.js';

/** Fields of every request that draws, as in OpenAI's API. */
const common = {
  model: text,
  n: wholeIn(1, Infinity),
  size: text,
  response_format: oneOf('url', 'b64_json'),
  user: text,
};

/** Fields of GPT Image models, which generations and edits share. */
const gptImage = {
  prompt: text,
  background: oneOf('transparent', 'opaque', 'auto'),
  output_format: oneOf('png', 'jpeg', 'webp'),
  output_compression: wholeIn(0, 100),
  partial_images: wholeIn(0, 3),
  quality: oneOf('standard', 'hd', 'low', 'medium', 'high', 'auto'),
  stream: flag,
};

/** Fields that OpenAI's API does not have: the options of `generate()` in its spelling. */
const extensions = {
  seed: wholeIn(0, Number.MAX_SAFE_INTEGER),
  steps: wholeIn(1, Infinity),
  guidance_scale: numberIn(-100, 100),
  negative_prompt: text,
  scheduler: text,
  syntax: oneOf('plain', 'a1111', 'comfyui', 'compel'),
  clip_skip: wholeIn(0, 100),
  loras: object,
};

export const generationFields = {
  ...common,
  ...gptImage,
  ...extensions,
  moderation: oneOf('low', 'auto'),
  style: oneOf('vivid', 'natural'),
};

const strength = { strength: numberIn(0, 1) };

export const editFields = { ...common, ...gptImage, ...extensions, ...strength, input_fidelity: oneOf('high', 'low') };

export const variationFields = { ...common, ...extensions, ...strength, prompt: text };

/** What the fields of all requests are read into. */
export interface ImageFields {
  readonly prompt?: string | undefined;
  readonly model?: string | undefined;
  readonly n?: number | undefined;
  readonly size?: string | undefined;
  readonly response_format?: 'url' | 'b64_json' | undefined;
  readonly user?: string | undefined;
  readonly background?: 'transparent' | 'opaque' | 'auto' | undefined;
  readonly output_format?: 'png' | 'jpeg' | 'webp' | undefined;
  readonly output_compression?: number | undefined;
  readonly partial_images?: number | undefined;
  readonly quality?: 'standard' | 'hd' | 'low' | 'medium' | 'high' | 'auto' | undefined;
  readonly stream?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly steps?: number | undefined;
  readonly guidance_scale?: number | undefined;
  readonly negative_prompt?: string | undefined;
  readonly scheduler?: string | undefined;
  readonly syntax?: 'plain' | 'a1111' | 'comfyui' | 'compel' | undefined;
  readonly clip_skip?: number | undefined;
  readonly loras?: Readonly<Record<string, unknown>> | undefined;
  readonly strength?: number | undefined;
  readonly input_fidelity?: 'high' | 'low' | undefined;
}

/** The fields whose options `generate()` checks, by the names of the options. */
export const fieldOfOption: Readonly<Record<string, string>> = {
  negativePrompt: 'negative_prompt',
  guidanceScale: 'guidance_scale',
  clipSkip: 'clip_skip',
  width: 'size',
  height: 'size',
  count: 'n',
};
