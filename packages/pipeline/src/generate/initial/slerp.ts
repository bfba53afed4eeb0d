/** Linear interpolation, `(1 - amount) * a + amount * b`. */
function lerp(a: Float32Array, b: Float32Array, amount: number): Float32Array {
  return a.map((value, i) => (1 - amount) * value + amount * b[i]);
}

/**
 * Spherical interpolation between two normal noises [channels, height, width], which keeps the variance: `amount` 0 gives `a`,
 * 1 gives `b`. Each column of a channel is rotated by its own angle, as in A1111 (`slerp` in modules/rng.py). Nearly equal
 * noises (a mean cosine above 0.9995) are interpolated linearly.
 */
export function slerp(
  a: Float32Array,
  b: Float32Array,
  amount: number,
  [channels, height, width]: readonly [number, number, number],
): Float32Array {
  const columns = channels * width;
  const start = (column: number) => Math.floor(column / width) * height * width + (column % width);
  const cosines = Float64Array.from({ length: columns }, (_, column) => {
    let [dot, squaresA, squaresB] = [0, 0, 0];
    for (let row = 0; row < height; row++) {
      const i = start(column) + row * width;
      dot += a[i] * b[i];
      squaresA += a[i] ** 2;
      squaresB += b[i] ** 2;
    }
    return Math.min(1, Math.max(-1, dot / Math.sqrt(squaresA * squaresB)));
  });
  const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / columns;
  if (mean > 0.9995) return lerp(a, b, amount);
  const out = new Float32Array(a.length);
  cosines.forEach((cosine, column) => {
    const angle = Math.acos(cosine);
    const sine = Math.sin(angle);
    // There is no shortest arc between opposite columns.
    const [weightA, weightB] =
      sine < 1e-6 ? [1 - amount, amount] : [Math.sin((1 - amount) * angle) / sine, Math.sin(amount * angle) / sine];
    for (let row = 0; row < height; row++) {
      const i = start(column) + row * width;
      out[i] = weightA * a[i] + weightB * b[i];
    }
  });
  return out;
}
