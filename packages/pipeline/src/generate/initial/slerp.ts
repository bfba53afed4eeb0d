/** From `a` to `b` along a line: `(1 - amount) * a + amount * b`, arrays of one length. */
function lerp(a: Float32Array, b: Float32Array, amount: number): Float32Array {
  return a.map((value, i) => (1 - amount) * value + amount * b[i]);
}

/**
 * From one normal noise to another, on the sphere that both lie on, so that what lies between is normal noise too: amount
 * 0 is `a`, 1 is `b`. Both are [channels, height, width]; each column of a channel turns by its own angle, as in A1111
 * (`slerp` of its modules/rng.py), whose numbers these are. Noises that all but agree (a mean cosine over 0.9995) are mixed
 * along a line.
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
    // Opposite columns have no shortest way between them.
    const [p, q] =
      sine < 1e-6 ? [1 - amount, amount] : [Math.sin((1 - amount) * angle) / sine, Math.sin(amount * angle) / sine];
    for (let row = 0; row < height; row++) {
      const i = start(column) + row * width;
      out[i] = p * a[i] + q * b[i];
    }
  });
  return out;
}
