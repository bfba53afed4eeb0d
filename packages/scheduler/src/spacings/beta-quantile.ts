/** The incomplete beta integral up to x <= 1/2, not normalized, by its power series (DLMF 8.17.7). */
function incompleteBeta(x: number, a: number, b: number): number {
  let term = 1;
  let sum = 1 / a;
  for (let n = 1; n < 60 && Math.abs(term) > 1e-18; n++) {
    term *= ((n - b) / n) * x;
    sum += term / (a + n);
  }
  return x ** a * sum;
}

/** The quantiles of the beta distribution by Newton's method, or where that leaves the bracket by bisection, to double precision. */
export function betaQuantiles(a: number, b: number): (p: number) => number {
  const left = incompleteBeta(0.5, a, b);
  const total = left + incompleteBeta(0.5, b, a);
  const below = (target: number, c: number, d: number) => {
    let [low, high] = [0, 0.5];
    let x = Math.min((c * target) ** (1 / c), 0.5);
    for (let i = 0; i < 100; i++) {
      const error = incompleteBeta(x, c, d) - target;
      const step = error / (x ** (c - 1) * (1 - x) ** (d - 1));
      // A step squares the error.
      if (Math.abs(step) <= 1e-10 * x) return x - step;
      if (error < 0) low = x;
      else high = x;
      x = x - step > low && x - step < high ? x - step : (low + high) / 2;
    }
    return x;
  };
  return (p) => {
    if (p <= 0 || p >= 1) return p <= 0 ? 0 : 1;
    return p * total > left ? 1 - below((1 - p) * total, b, a) : below(p * total, a, b);
  };
}
