/** torch's CPU generator, for arrays of 16 numbers and more: MT19937 and Box-Muller in blocks of 16. */
export function torchGenerator(seed: number): (count: number) => Float32Array {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let j = 1; j < 624; j++) state[j] = Math.imul(1812433253, state[j - 1]! ^ (state[j - 1]! >>> 30)) + j;
  let next = 624;
  const uniform = () => {
    if (next === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
        state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      next = 0;
    }
    let y = state[next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return (y & 0xffffff) * 2 ** -24;
  };
  const transform = (values: Float32Array, start: number) => {
    for (let j = start; j < start + 8; j++) {
      const radius = Math.sqrt(-2 * Math.log(1 - values[j]!));
      const theta = 2 * Math.PI * values[j + 8]!;
      values[j] = radius * Math.cos(theta);
      values[j + 8] = radius * Math.sin(theta);
    }
  };
  return (count) => {
    if (count < 16) throw new Error('This generator draws 16 numbers or more.');
    const values = Float32Array.from({ length: count }, uniform);
    for (let i = 0; i < count - 15; i += 16) transform(values, i);
    if (count % 16 !== 0) {
      for (let i = count - 16; i < count; i++) values[i] = uniform();
      transform(values, count - 16);
    }
    return values;
  };
}
