// A function, since bundlers take `new URL('...', import.meta.url)` for a file to copy, and fail where it is a folder.
const at = (path: string): URL => new URL(path, import.meta.url);

/** The folder of a ControlNet for the embedded model, for Canny edges, in diffusers' layout: float16 weights. */
export const folder: URL = at('../model/');
