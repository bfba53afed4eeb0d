import type { ModelFamily } from '../src/index.js';

/** The families that this project knows, as the pipeline lists them. */
export const families: readonly ModelFamily[] = [
  {
    id: 'sd1',
    title: 'Stable Diffusion 1',
    contextWidth: 768,
    textWidths: { text_encoder: 768 },
    baseModel: /^(sd_?v?|stable-diffusion-v)1/,
  },
  {
    id: 'sd2',
    title: 'Stable Diffusion 2',
    contextWidth: 1024,
    textWidths: { text_encoder: 1024 },
    baseModel: /^(sd_?v?|stable-diffusion-v)2/,
  },
  {
    id: 'sdxl',
    title: 'SDXL',
    contextWidth: 2048,
    textWidths: { text_encoder: 768, text_encoder_2: 1280 },
    baseModel: /^(sdxl|stable-diffusion-xl)(?!.*refiner)/,
  },
  {
    id: 'sdxl-refiner',
    title: 'the SDXL refiner',
    contextWidth: 1280,
    textWidths: { text_encoder_2: 1280 },
    baseModel: /^(sdxl|stable-diffusion-xl).*refiner/,
  },
];
