import { InvalidOptionError, show } from '@sd/core';

/** `torch.linspace` in float32, to the last bit: with a float32 step, counted from the nearer end. */
export function linspace32(start: number, end: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  const half = Math.floor(count / 2);
  const at = (i: number) => (i < half ? first + step * i : last - step * (count - 1 - i));
  return Float32Array.from({ length: count }, (_, i) => (count === 1 ? first : at(i)));
}

/** `torch.cumprod` in float32, to the last bit: accumulated in double precision, each element rounded. */
export function cumprod32(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => {
    product *= value;
    return product;
  });
}

/**
 * `numpy.linspace`, to the last bit: `count` evenly spaced numbers from `start` to `end`, inclusive. The step is rounded
 * before it is multiplied, so a number that should be halfway between two integers may be just below.
 */
export function linspace(start: number, end: number, count: number): number[] {
  const step = (end - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === 0 ? start : i === count - 1 ? end : i * step + start));
}

/**
 * `numpy.arange(start, 0, -stride)`, to the last bit: numbers from `start` down, above 0. Rounding errors of the stride may
 * add one that is almost 0.
 */
export function arangeDown(start: number, stride: number): number[] {
  const step = start - stride - start;
  return Array.from({ length: Math.ceil(start / stride) }, (_, i) => start + i * step);
}

/** A table's value at a fractional index, by linear interpolation, as in `numpy.interp`. */
export function valueAt(table: ArrayLike<number>, index: number): number {
  const low = Math.min(Math.floor(index), table.length - 1);
  const high = Math.min(low + 1, table.length - 1);
  return table[low] + (index - low) * (table[high] - table[low]);
}

/** The fractional index of a value in an increasing table, clamped to it; computed as diffusers' `_sigma_to_t` does. */
export function indexOf(table: Float32Array, value: number): number {
  let [low, high] = [0, table.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (table[middle] <= value) low = middle;
    else high = middle;
  }
  const weight = Math.min(Math.max((table[low] - value) / Math.fround(table[low] - table[high]), 0), 1);
  return (1 - weight) * low + weight * high;
}

/** Rounds half to even, as NumPy does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** More timesteps than any model was trained on. Tables for more could exhaust memory. */
const mostCount = 1_000_000;

/** Returns the count. Throws an InvalidOptionError unless it is an integer above 0, and at most a million. */
export function checkCount(option: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0 && count <= mostCount) return count;
  if (count > mostCount) throw new InvalidOptionError(option, `must be at most ${mostCount}, not ${show(count)}.`);
  throw new InvalidOptionError(option, `must be an integer above 0, not ${show(count)}.`);
}
