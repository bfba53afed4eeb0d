import { InvalidOptionError, show } from '@sd/core';

/** `torch.linspace` in float32, to the last bit: with a float32 step, counted from the nearer end. */
export function linspace32(start: number, end: number, count: number): Float32Array {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? first + (count === 1 ? 0 : step * i) : last - step * (count - 1 - i),
  );
}

/** `torch.cumprod` in float32, to the last bit: accumulated in double precision, each element rounded. */
export function cumprod32(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => {
    product *= value;
    return product;
  });
}

/** `count` evenly spaced numbers from `start` to `end`, inclusive; only `start` if count is 1. */
export function linspace(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? start : start + ((end - start) * i) / (count - 1)));
}

/** A table's value at a fractional index, by linear interpolation. */
export function valueAt(table: ArrayLike<number>, index: number): number {
  const low = Math.min(Math.floor(index), table.length - 1);
  const high = Math.min(low + 1, table.length - 1);
  return table[low] + (index - low) * (table[high] - table[low]);
}

/** The fractional index of a value in an increasing table, clamped to it. */
export function indexOf(table: Float32Array, value: number): number {
  const high = table.findIndex((entry) => entry > value);
  if (high < 0) return table.length - 1;
  return high === 0 ? 0 : high - (table[high] - value) / (table[high] - table[high - 1]);
}

/** Rounds half to even, as NumPy does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** More timesteps than any model was trained on: beyond it, tables of them would take all memory. */
const mostCount = 1_000_000;

/** Returns the count. Throws an InvalidOptionError unless it is an integer above 0, and at most a million. */
export function checkCount(option: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0 && count <= mostCount) return count;
  if (count > mostCount) throw new InvalidOptionError(option, `must be at most ${mostCount}, not ${show(count)}.`);
  throw new InvalidOptionError(option, `must be an integer above 0, not ${show(count)}.`);
}
