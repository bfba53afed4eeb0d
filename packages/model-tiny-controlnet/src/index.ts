/** The folder of a ControlNet for the embedded model, for Canny edges, in diffusers' layout: float16 weights. */
export const folder: URL = new URL('../model/', import.meta.url);
