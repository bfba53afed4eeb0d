/**
 * Weights for the values of a function at `nodes`, whose sum is the integral from `from` to `to` of
 * `exp(rate * (u - to))` times the polynomial through them: Adams' methods for any nodes (rate 0), exponential
 * integrators otherwise.
 */
export function integrationWeights(nodes: readonly number[], from: number, to: number, rate: number): number[] {
  const moments = nodes.map((_, k) => moment(k, from - to, rate));
  return nodes.map((node, j) => {
    let polynomial = [1];
    for (const [i, other] of nodes.entries()) {
      if (i === j) continue;
      const [shift, gap] = [other - to, node - other];
      polynomial = [...polynomial, 0].map(
        (value, k) => ((polynomial[k - 1] ?? 0) - shift * (k < polynomial.length ? value : 0)) / gap,
      );
    }
    return polynomial.reduce((sum, value, k) => sum + value * moments[k]!, 0);
  });
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

/** Solves a small system of linear equations by elimination with pivots. */
export function solveLinear(matrix: readonly (readonly number[])[], values: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, values[i]!]);
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(column, 0, pivot);
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[column]! / pivot[column]!;
      for (let k = column; k <= n; k++) row[k] = row[k]! - factor * pivot[k]!;
    }
  }
  return rows.map((row, i) => row[n]! / row[i]!);
}

/** Adams-Bashforth weights for even steps, newest first, by order. */
export const adamsBashforth: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];
