import { InvalidOptionError } from '../errors.js';

const lowest = -(2n ** 63n);
const highest = 2n ** 64n - 1n;

/**
 * A seed as an unsigned 64-bit number; a negative one counts from 2^64 down, as in torch.
 * Throws an InvalidOptionError (`seed`) where it is no integer, a number too large to be exact, or wider than 64 bits.
 */
export function seedBits(seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed)) {
    const hint = Number.isInteger(seed)
      ? `write it as a bigint: ${BigInt(seed)}n is what the number holds.`
      : 'an integer is wanted.';
    throw new InvalidOptionError('seed', `${String(seed)} cannot be used, ${hint}`);
  }
  const bits = BigInt(seed);
  if (bits < lowest || bits > highest) {
    throw new InvalidOptionError('seed', `${seed} has more than 64 bits: -2^63 to 2^64 - 1 can be used.`);
  }
  return BigInt.asUintN(64, bits);
}
