/** A weight and the array that it applies to. */
export type Term = readonly [weight: number, values: Float32Array];

/** The weighted sum of arrays of the same length, in double precision, rounded once. */
export function mix(...terms: readonly Term[]): Float32Array {
  const out = new Float32Array(terms[0][1].length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (const [weight, values] of terms) sum += weight * values[i];
    out[i] = sum;
  }
  return out;
}
