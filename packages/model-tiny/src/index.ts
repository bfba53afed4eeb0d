/** The folder of the embedded model, in diffusers' layout: 128 x 128 pictures, float16 weights. */
export const folder: URL = new URL('../model/', import.meta.url);

/** The folder of a tiny decoder of the same latents, for previews while it draws: an `AutoencoderTiny`. */
export const previewVae: URL = new URL('../preview/', import.meta.url);

/**
 * A LoRA of latent consistency, to `attach`: with it, four steps of the scheduler `lcm` without guidance draw a picture.
 */
export const lcmLora: URL = new URL('../lcm/lcm.safetensors', import.meta.url);
