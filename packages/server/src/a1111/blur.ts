/** Blurs a plane by a Gaussian, as three boxes (P. Kovesi, Fast Almost-Gaussian Filtering), in time linear in its pixels. */
export function blur(
  plane: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
  sigma: number,
): Float32Array<ArrayBuffer> {
  let blurred = new Float32Array(plane);
  for (const radius of sigma < 0.5 ? [] : boxRadii(sigma)) {
    blurred = boxBlur(blurred, { count: height, length: width, step: 1, stride: width }, radius);
    blurred = boxBlur(blurred, { count: width, length: height, step: width, stride: 1 }, radius);
  }
  return blurred;
}

/** The radii of three boxes whose variances add up to the Gaussian's. */
function boxRadii(sigma: number): number[] {
  const ideal = Math.sqrt((12 * sigma * sigma) / 3 + 1);
  const lower = 2 * Math.floor((ideal - 1) / 2) + 1;
  const lowerCount = Math.round((12 * sigma * sigma - 3 * lower * lower - 12 * lower - 9) / (-4 * lower - 4));
  return [0, 1, 2].map((i) => ((i < lowerCount ? lower : lower + 2) - 1) / 2);
}

interface Lines {
  readonly count: number;
  readonly length: number;
  /** From a pixel of a line to the next, and from a line to the next. */
  readonly step: number;
  readonly stride: number;
}

/** The mean of each pixel's neighbours in its line; beyond the ends, the last pixel repeats. */
function boxBlur(
  plane: Float32Array,
  { count, length, step, stride }: Lines,
  radius: number,
): Float32Array<ArrayBuffer> {
  const blurred = new Float32Array(plane.length);
  const size = 2 * radius + 1;
  for (let line = 0; line < count; line++) {
    const at = (i: number) => plane[line * stride + Math.min(Math.max(i, 0), length - 1) * step];
    let sum = 0;
    for (let i = -radius; i <= radius; i++) sum += at(i);
    for (let i = 0; i < length; i++) {
      blurred[line * stride + i * step] = sum / size;
      sum += at(i + radius + 1) - at(i - radius);
    }
  }
  return blurred;
}
