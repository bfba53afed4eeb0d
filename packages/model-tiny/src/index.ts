/** The embedded model's folder, in diffusers' layout: 128 x 128 images, float16 weights. */
export const folder: URL = new URL('../model/', import.meta.url);

/** The folder of a tiny decoder for the same latents, an `AutoencoderTiny`, for previews during a run. */
export const previewVae: URL = new URL('../preview/', import.meta.url);

/**
 * A latent consistency LoRA, to `attach`: with it, four steps of the scheduler `lcm` without guidance make an image.
 */
export const lcmLora: URL = new URL('../lcm/lcm.safetensors', import.meta.url);
