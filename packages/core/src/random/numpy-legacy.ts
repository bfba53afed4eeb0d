import { InvalidOptionError } from '../errors.js';
import type { RandomSource } from '../random.js';
import { mt19937 } from './mt19937.js';
import { seedBits } from './seed.js';

/**
 * `numpy.random.RandomState(seed).randn(count)`, rounded to float32, as drawn by diffusers' ONNX pipelines and by optimum
 * until late 2024. Drawing n and then m numbers is the same as drawing n + m.
 *
 * Throws an InvalidOptionError (`seed`) unless the seed is an integer from 0 to 2^32 - 1, NumPy's range.
 * Follows NumPy's legacy-distributions.c (`legacy_gauss`): Marsaglia's polar method.
 */
export function numpyLegacy(seed: number | bigint): RandomSource {
  const bits = seedBits(seed);
  if (seed < 0 || bits >= 2n ** 32n) {
    throw new InvalidOptionError('seed', `${seed} is out of range: NumPy's RandomState takes 0 to 2^32 - 1.`);
  }
  const uint32 = mt19937(Number(bits));
  const signed = () => {
    const high = uint32() >>> 5;
    return (2 * (high * 2 ** 26 + (uint32() >>> 6))) / 2 ** 53 - 1;
  };
  let cached: number | undefined;

  const gaussian = () => {
    if (cached !== undefined) {
      const value = cached;
      cached = undefined;
      return value;
    }
    for (;;) {
      const x = signed();
      const y = signed();
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      cached = factor * x;
      return factor * y;
    }
  };

  return {
    randn(count) {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = gaussian();
      return values;
    },
  };
}
