// Not `new URL('...', import.meta.url)`: bundlers take that for a file to copy, and fail where it is a folder.
const at = (path: string): URL => new URL(import.meta.url.replace(/[^/?#]*([?#].*)?$/, path));

/** The folder of the embedded model's inpainting U-Net, with nine channels, in diffusers' layout: float16 weights. */
export const folder: URL = at('./unet/');
