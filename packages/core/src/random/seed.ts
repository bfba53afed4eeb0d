import { InvalidOptionError } from '../errors.js';
import { show } from '../show.js';

const lowest = -(2n ** 63n);
const highest = 2n ** 64n - 1n;

/**
 * A seed as an unsigned 64-bit number. A negative seed wraps around, as in torch.
 * Throws an InvalidOptionError (`seed`) unless it is an integer, exact as a number, and fits 64 bits.
 */
export function seedBits(seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    const hint = Number.isInteger(seed)
      ? `is too large to be exact as a number: write it as a bigint (its value now is ${BigInt(seed)}n).`
      : 'is not an integer.';
    throw new InvalidOptionError('seed', `${show(seed)} ${hint}`);
  }
  const bits = BigInt(seed);
  if (bits < lowest || bits > highest) {
    throw new InvalidOptionError('seed', `${seed} does not fit 64 bits: use -2^63 to 2^64 - 1.`);
  }
  return BigInt.asUintN(64, bits);
}
