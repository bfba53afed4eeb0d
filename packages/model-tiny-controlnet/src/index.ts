/** A ControlNet for the embedded model that draws along Canny's edges, as a folder in diffusers' layout: float16 weights. */
export const folder: URL = new URL('../model/', import.meta.url);
