/** Height and width. */
export type MapSize = readonly [height: number, width: number];

/**
 * Scales a map up to another size with bicubic interpolation, as torch does: Keys' cubic convolution with a = -0.75, pixel
 * centres at halves, edges repeated.
 * @see torch's `interpolate(mode='bicubic', align_corners=False)`
 */
export function resizeMap(map: Float32Array, [height, width]: MapSize, [newHeight, newWidth]: MapSize): Float32Array {
  if (height === newHeight && width === newWidth) return map.slice();
  const rows = tapsOf(height, newHeight);
  const columns = tapsOf(width, newWidth);
  const wide = new Float64Array(height * newWidth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const { at, weights } = columns[x];
      wide[y * newWidth + x] = weights.reduce((sum, weight, k) => sum + weight * map[y * width + at[k]], 0);
    }
  }
  const resized = new Float32Array(newHeight * newWidth);
  for (let y = 0; y < newHeight; y++) {
    const { at, weights } = rows[y];
    for (let x = 0; x < newWidth; x++) {
      resized[y * newWidth + x] = weights.reduce((sum, weight, k) => sum + weight * wide[at[k] * newWidth + x], 0);
    }
  }
  return resized;
}

/** The four places that a place of the resized line depends on, and their weights. */
interface Taps {
  readonly at: readonly number[];
  readonly weights: readonly number[];
}

function tapsOf(size: number, newSize: number): Taps[] {
  return Array.from({ length: newSize }, (_, i) => {
    const centre = ((i + 0.5) * size) / newSize - 0.5;
    const first = Math.floor(centre) - 1;
    const places = [0, 1, 2, 3].map((k) => first + k);
    return {
      at: places.map((place) => Math.min(Math.max(place, 0), size - 1)),
      weights: places.map((place) => cubic(Math.abs(centre - place))),
    };
  });
}

/** The weight of a place at a distance of up to 2. */
function cubic(d: number): number {
  const a = -0.75;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : (((d - 5) * d + 8) * d - 4) * a;
}
