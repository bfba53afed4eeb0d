/** The folder of the embedded model, in diffusers' layout: 128 x 128 pictures, float16 weights. */
export const folder: URL = new URL('../model/', import.meta.url);
