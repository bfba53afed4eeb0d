// A function, since bundlers take `new URL('...', import.meta.url)` for a file to copy, and fail where it is a folder.
const at = (path: string): URL => new URL(path, import.meta.url);

/** The folder of the embedded model's inpainting U-Net, with nine channels, in diffusers' layout: float16 weights. */
export const folder: URL = at('./unet/');
