/** The incomplete beta integral up to x <= 1/2, not normalized, by its power series (DLMF 8.17.7). */
function incompleteBeta(x: number, a: number, b: number): number {
  let term = 1;
  let sum = 1 / a;
  for (let n = 1; n < 60; n++) {
    term *= ((n - b) / n) * x;
    sum += term / (a + n);
  }
  return x ** a * sum;
}

/** The quantile of the beta distribution at probability `p`, by bisection to double precision. */
export function betaQuantile(p: number, a: number, b: number): number {
  const left = incompleteBeta(0.5, a, b);
  const total = left + incompleteBeta(0.5, b, a);
  if (p * total > left) return 1 - betaQuantile(1 - p, b, a);
  let [low, high] = [0, 0.5];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < p * total) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
