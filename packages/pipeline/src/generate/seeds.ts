import { checkSeed } from '@sd/core/options';

/** `count` consecutive seeds from `first`, which is random by default. Throws an InvalidOptionError for an invalid seed. */
export function seedsFrom(option: string, first: number | bigint | undefined, count: number): (number | bigint)[] {
  const seed = first ?? randomSeed();
  checkSeed(option, seed);
  return Array.from({ length: count }, (_, i) => (typeof seed === 'bigint' ? seed + BigInt(i) : seed + i));
}

/** A random 32-bit seed. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
