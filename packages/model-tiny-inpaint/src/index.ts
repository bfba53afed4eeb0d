/** The folder of the embedded model's inpainting U-Net, with nine channels, in diffusers' layout: float16 weights. */
export const folder: URL = new URL('./unet/', import.meta.url);
