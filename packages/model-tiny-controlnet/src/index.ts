// Not `new URL('...', import.meta.url)`: bundlers take that for a file to copy, and fail where it is a folder.
const at = (path: string): URL => new URL(import.meta.url.replace(/[^/?#]*([?#].*)?$/, path));

/** The folder of a ControlNet for the embedded model, for Canny edges, in diffusers' layout: float16 weights. */
export const folder: URL = at('../model/');
