/**
 * Weights w such that the sum of w[j] f(nodes[j]) is a linear functional of the polynomial through these points.
 * `moments[k]` is the functional's value for the k-th power.
 */
export function polynomialWeights(nodes: readonly number[], moments: readonly number[]): number[] {
  return nodes.map((node, j) => {
    let polynomial = [1];
    for (const [i, other] of nodes.entries()) {
      if (i === j) continue;
      const shifted = [0, ...polynomial];
      polynomial = shifted.map((value, k) => (value - other * (polynomial[k] ?? 0)) / (node - other));
    }
    return polynomial.reduce((sum, value, k) => sum + value * moments[k], 0);
  });
}

/**
 * Weights w such that the sum of w[j] f(nodes[j]) is the integral from `from` to `to` of `exp(rate * (u - to))` times the
 * polynomial through these points: Adams methods for arbitrary nodes (rate 0), exponential integrators otherwise.
 */
export function integrationWeights(nodes: readonly number[], from: number, to: number, rate: number): number[] {
  const shifted = nodes.map((node) => node - to);
  return polynomialWeights(
    shifted,
    nodes.map((_, k) => moment(k, from - to, rate)),
  );
}

/** The integral of `s^k exp(rate s)` from `start` to 0. */
function moment(k: number, start: number, rate: number): number {
  if (Math.abs(rate * start) < 1) {
    let sum = 0;
    let factor = 1;
    for (let n = 0; n < 20; n++) {
      sum -= (factor * start ** (k + n + 1)) / (k + n + 1);
      factor *= rate / (n + 1);
    }
    return sum;
  }
  if (k === 0) return -Math.expm1(rate * start) / rate;
  return -(start ** k * Math.exp(rate * start) + k * moment(k - 1, start, rate)) / rate;
}

/** Adams-Bashforth weights for equal steps, newest first, by order. */
export const adamsBashforth: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];
