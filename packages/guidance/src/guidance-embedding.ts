import { tensor } from '@sd/core';
import type { Condition } from './conditions.js';

export interface GuidanceEmbeddingOptions {
  /** As in classifier-free guidance: 1 is without guidance. */
  readonly scale: number;
  /** `time_cond_proj_dim`. */
  readonly width: number;
}

/**
 * The `timestep_cond` of guidance-distilled models such as latent consistency models: sinusoids of `1000 * (scale - 1)`,
 * sines first.
 * @see arXiv 2310.04378, 4.2; diffusers' `get_guidance_scale_embedding`, in float32 as there
 */
export function guidanceEmbedding({ scale, width }: GuidanceEmbeddingOptions): Condition {
  const half = Math.floor(width / 2);
  const step = Math.fround(Math.fround(Math.log(10000)) / (half - 1));
  const row = new Float32Array(width);
  const value = Math.fround(Math.fround(scale - 1) * 1000);
  for (let i = 0; i < half; i++) {
    const angle = Math.fround(value * Math.fround(Math.exp(Math.fround(-step * i))));
    row[i] = Math.sin(angle);
    row[half + i] = Math.cos(angle);
  }
  return ({ texts }) => {
    const data = new Float32Array(texts.length * width);
    for (const i of texts.keys()) data.set(row, i * width);
    return { timestep_cond: tensor('float32', [texts.length, width], data) };
  };
}
