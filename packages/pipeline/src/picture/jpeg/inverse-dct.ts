/**
 * The samples of a plane, 8 bits each, from its coefficients and their quantization: [rows * 8, columns * 8]. Whole
 * numbers throughout, bit by bit what libjpeg's default (`jidctint.c`, "islow") gives: Loeffler, Ligtenberg and
 * Moschytz, ICASSP 1989, with 13 bits of fraction.
 */
export function inverseDct(
  coefficients: Int16Array,
  quantization: Uint16Array,
  columns: number,
  rows: number,
): Uint8ClampedArray {
  const samples = new Uint8ClampedArray(columns * rows * 64);
  const block = new Int32Array(64);
  const stride = columns * 8;
  for (let n = 0; n < columns * rows; n++) {
    for (let i = 0; i < 64; i++) block[i] = coefficients[n * 64 + i]! * quantization[i]!;
    for (let column = 0; column < 8; column++) transform(block, column, 8, 11);
    for (let row = 0; row < 8; row++) transform(block, row * 8, 1, 18);
    const corner = Math.floor(n / columns) * 8 * stride + (n % columns) * 8;
    for (let i = 0; i < 64; i++) samples[corner + (i >> 3) * stride + (i & 7)] = block[i]! + 128;
  }
  return samples;
}

/** Eight values, `step` apart, in place. */
function transform(block: Int32Array, at: number, step: number, shift: number): void {
  const half = 1 << (shift - 1);
  const [i1, i2, i3, i4] = [at + step, at + 2 * step, at + 3 * step, at + 4 * step];
  const [i5, i6, i7] = [at + 5 * step, at + 6 * step, at + 7 * step];

  const [x0, x2, x4, x6] = [block[at]!, block[i2]!, block[i4]!, block[i6]!];
  const turned = (x2 + x6) * 4433;
  const even2 = turned - x6 * 15137;
  const even3 = turned + x2 * 6270;
  const sum = (x0 + x4) * 8192 + half;
  const difference = (x0 - x4) * 8192 + half;
  const [e0, e1, e2, e3] = [sum + even3, difference + even2, difference - even2, sum - even3];

  const [x1, x3, x5, x7] = [block[i1]!, block[i3]!, block[i5]!, block[i7]!];
  const z5 = (x7 + x3 + x5 + x1) * 9633;
  const z1 = (x7 + x1) * -7373;
  const z2 = (x5 + x3) * -20995;
  const z3 = (x7 + x3) * -16069 + z5;
  const z4 = (x5 + x1) * -3196 + z5;
  const o0 = x7 * 2446 + z1 + z3;
  const o1 = x5 * 16819 + z2 + z4;
  const o2 = x3 * 25172 + z2 + z3;
  const o3 = x1 * 12299 + z1 + z4;

  block[at] = (e0 + o3) >> shift;
  block[i7] = (e0 - o3) >> shift;
  block[i1] = (e1 + o2) >> shift;
  block[i6] = (e1 - o2) >> shift;
  block[i2] = (e2 + o1) >> shift;
  block[i5] = (e2 - o1) >> shift;
  block[i3] = (e3 + o0) >> shift;
  block[i4] = (e3 - o0) >> shift;
}
