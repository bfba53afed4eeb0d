const size = 624;
const shift = 397;

/** Returns the next unsigned 32-bit number. */
export type Uint32Source = () => number;

/**
 * The Mersenne Twister MT19937 with a 32-bit seed (`init_genrand`), as in torch, NumPy's RandomState and C++'s mt19937.
 * Follows Matsumoto and Nishimura, "Mersenne Twister" (1998), and ATen's MT19937RNGEngine.h.
 */
export function mt19937(seed: number): Uint32Source {
  const state = new Uint32Array(size);
  let next = size;
  state[0] = seed;
  for (let i = 1; i < size; i++) {
    const previous = state[i - 1];
    state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
  }

  return () => {
    if (next === size) {
      twist(state);
      next = 0;
    }
    let y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < size; i++) {
    const following = state[i + 1 < size ? i + 1 : 0];
    const mixed = (state[i] & 0x80000000) | (following & 0x7fffffff);
    const far = state[i + shift < size ? i + shift : i + shift - size];
    state[i] = far ^ (mixed >>> 1) ^ (following & 1 ? 0x9908b0df : 0);
  }
}
