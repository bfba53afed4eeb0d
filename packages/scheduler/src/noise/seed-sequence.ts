/** The words of NumPy's entropy pool: 24 in torchsde, 4 by default in NumPy. */
const poolSize = 24;

/**
 * `numpy.random.SeedSequence(entropy, spawn_key=spawnKey, pool_size=24).generate_state(1)[0]`: a 32-bit seed. Follows
 * `mix_entropy` and `generate_state` of NumPy's bit_generator.pyx, after Melissa O'Neill's `seed_seq_fe`. The entropy and
 * the numbers of the key are integers from 0.
 */
export function seedSequence(entropy: bigint, spawnKey: readonly number[] = []): number {
  const words = wordsOf(entropy);
  if (spawnKey.length > 0) while (words.length < poolSize) words.push(0);
  words.push(...spawnKey.flatMap((part) => wordsOf(BigInt(part))));
  return hash(mixedPool(words)[0], 0x8b51f9dd, 0x58f38ded).value;
}

/** Mixes every word into every other word of the pool. */
function mixedPool(words: readonly number[]): Uint32Array {
  const pool = new Uint32Array(poolSize);
  let constant = 0x43b0d7e5;
  const next = (word: number) => {
    const hashed = hash(word, constant, 0x931e8875);
    constant = hashed.constant;
    return hashed.value;
  };
  for (let i = 0; i < poolSize; i++) pool[i] = next(words[i] ?? 0);
  for (let from = 0; from < poolSize; from++) {
    for (let to = 0; to < poolSize; to++) if (from !== to) pool[to] = mix(pool[to], next(pool[from]));
  }
  for (const word of words.slice(poolSize)) {
    for (let to = 0; to < poolSize; to++) pool[to] = mix(pool[to], next(word));
  }
  return pool;
}

function hash(word: number, constant: number, multiplier: number) {
  const multiplied = Math.imul(constant, multiplier);
  const value = Math.imul(word ^ constant, multiplied);
  return { value: (value ^ (value >>> 16)) >>> 0, constant: multiplied };
}

function mix(a: number, b: number): number {
  const mixed = Math.imul(a, 0xca01f9dd) - Math.imul(b, 0x4973f715);
  return mixed ^ (mixed >>> 16);
}

/** An integer's 32-bit words, lowest first. */
function wordsOf(value: bigint): number[] {
  const words = [Number(value & 0xffffffffn)];
  for (let rest = value >> 32n; rest > 0n; rest >>= 32n) words.push(Number(rest & 0xffffffffn));
  return words;
}
