import { checkSeed } from '@sd/core/options';

/** `count` seeds, counting up from the first, which is random if it is left out. */
export function seedsFrom(option: string, first: number | bigint | undefined, count: number): (number | bigint)[] {
  const seed = first ?? randomSeed();
  checkSeed(option, seed);
  return Array.from({ length: count }, (_, i) => (typeof seed === 'bigint' ? seed + BigInt(i) : seed + i));
}

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
