/** The Cayley transforms of blocks, less the identity, and how they are made. */
interface CayleyOptions {
  /** Rows of a block. */
  readonly size: number;
  /** Limit of the norm of all blocks' skew-symmetric matrices; 0 or less for none. */
  readonly limit: number;
  /** Whether to transpose the results. */
  readonly transposed: boolean;
}

/**
 * Blocks B [count, size, size] as rotations less the identity: `(I + Q) (I - Q)^-1 - I` with `Q = B - B'`, or its transpose.
 * @see arXiv 2306.07280, OFT, 3.2; the limit as in LyCORIS, functional/diag_oft.py
 */
export function cayley(blocks: Float32Array, { size, limit, transposed }: CayleyOptions): Float32Array {
  const result = new Float32Array(blocks.length);
  const area = size * size;
  const skew = Float64Array.from(blocks, (value, i) => {
    const [start, at] = [i - (i % area), i % area];
    return value - blocks[start + (at % size) * size + Math.floor(at / size)];
  });
  const norm = Math.sqrt(skew.reduce((sum, value) => sum + value * value, 0)) + 1e-8;
  const factor = limit > 0 && norm > limit ? limit / norm : 1;
  for (let start = 0; start < skew.length; start += area) {
    const q = skew.subarray(start, start + area).map((value) => value * factor);
    // (I + Q) (I - Q)^-1 - I = 2 (I - Q)^-1 - 2 I, and its transpose has -Q for Q.
    const inverse = inverted(
      q.map((value, i) => (i % (size + 1) === 0 ? 1 : 0) + (transposed ? value : -value)),
      size,
    );
    inverse.forEach((value, i) => {
      result[start + i] = 2 * (value - (i % (size + 1) === 0 ? 1 : 0));
    });
  }
  return result;
}

/** The inverse of a matrix by Gauss-Jordan elimination. `I - Q` of a skew-symmetric Q always has one. */
function inverted(matrix: Float64Array, size: number): Float64Array {
  const width = 2 * size;
  const rows = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(width);
    row.set(matrix.subarray(i * size, (i + 1) * size));
    row[size + i] = 1;
    return row;
  });
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) {
      if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    const top = rows[column];
    const scale = 1 / top[column];
    for (let k = column; k < width; k++) top[k] *= scale;
    for (const row of rows) {
      const factor = row[column];
      if (row === top || factor === 0) continue;
      for (let k = column; k < width; k++) row[k] -= factor * top[k];
    }
  }
  const result = new Float64Array(size * size);
  for (const [i, row] of rows.entries()) result.set(row.subarray(size), i * size);
  return result;
}
