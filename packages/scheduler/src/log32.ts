const { fround } = Math;

/** Coefficients of the numerator and the denominator, highest power first. */
const numerator = [0.02589979117907923, 0.380883783, 1.48000062, 2.11267757, 1, 0].map(fround);
const denominator = [0.00587509526, 0.154647633, 0.986494303, 2.45300603, 2.61267757, 1].map(fround);

/**
 * `numpy.log` of a float32, to the last bit on x86 with AVX2 or AVX-512 (`simd_log_FLOAT` in NumPy's
 * loops_exponent_log.dispatch.c.src): a rational approximation, up to 4 units in the last place off the rounded logarithm.
 * diffusers looks up timesteps in a table of these, and rounds some of them to integers. For values above 2^-126.
 */
export function log32(value: number): number {
  let exponent = Math.floor(Math.log2(value));
  let mantissa = value / 2 ** exponent;
  if (mantissa > fround(Math.SQRT2)) {
    mantissa /= 2;
    exponent += 1;
  }
  const quotient = fround(polynomial(numerator, mantissa - 1) / polynomial(denominator, mantissa - 1));
  return fround(exponent * fround(Math.LN2) + quotient);
}

/** Horner's scheme with fused multiply-adds in float32. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = fround(sum * x + coefficient);
  return sum;
}
