// Not `new URL('...', import.meta.url)`: bundlers take that for a file to copy, and fail where it is a folder.
const at = (path: string): URL => new URL(import.meta.url.replace(/[^/?#]*([?#].*)?$/, path));

/** The embedded model's folder, in diffusers' layout: 128 x 128 images, float16 weights. */
export const folder: URL = at('../model/');

/** The folder of a tiny decoder for the same latents, an `AutoencoderTiny`, for previews during a run. */
export const previewVae: URL = at('../preview/');

/**
 * A latent consistency LoRA, to `attach`: with it, four steps of the scheduler `lcm` without guidance make an image.
 */
export const lcmLora: URL = at('../lcm/lcm.safetensors');
