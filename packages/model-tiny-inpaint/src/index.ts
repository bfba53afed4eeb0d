/** The U-Net of the embedded model for inpainting, nine channels, as a folder in diffusers' layout: float16 weights. */
export const folder: URL = new URL('./unet/', import.meta.url);
