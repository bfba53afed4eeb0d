import type { RandomSource } from '../random.js';
import { mt19937, type Uint32Source } from './mt19937.js';
import { seedBits } from './seed.js';

const block = 16;
const half = block / 2;

/**
 * `torch.randn(count, generator=torch.Generator('cpu').manual_seed(seed))`, as drawn by diffusers and ComfyUI on the CPU.
 *
 * Only the low 32 bits of the seed count, as in torch. Drawing n and then m numbers differs from drawing n + m: for 16
 * values or more, torch fills blocks of 16; for fewer, it draws pairs and keeps an odd one for a later small draw. Small
 * draws equal torch's to the bit; large ones are within 2e-6, by which torch's own kernels (AVX2, AVX512, plain) differ.
 *
 * Throws an InvalidOptionError (`seed`) unless the seed is an integer of up to 64 bits.
 * Follows ATen's MT19937RNGEngine.h, DistributionsHelper.h and native/cpu/DistributionTemplates.h (`normal_fill`).
 */
export function torchCpu(seed: number | bigint): RandomSource {
  const uint32 = mt19937(Number(BigInt.asUintN(32, seedBits(seed))));
  const gaussian = pairedGaussian(uint32);

  return {
    randn(count) {
      const values = new Float32Array(count);
      if (count < block) {
        for (let i = 0; i < count; i++) values[i] = gaussian();
        return values;
      }
      fillUniform(values, 0, uint32);
      for (let start = 0; start + block <= count; start += block) transformBlock(values, start);
      if (count % block !== 0) {
        // torch draws the last 16 again, although some of them are already done.
        fillUniform(values, count - block, uint32);
        transformBlock(values, count - block);
      }
      return values;
    },
  };
}

function fillUniform(values: Float32Array, start: number, uint32: Uint32Source): void {
  for (let i = start; i < values.length; i++) values[i] = (uint32() & 0xffffff) * 2 ** -24;
}

/** Box-Muller over 16 uniform numbers, in place: the first 8 become radii, the last 8 angles. */
function transformBlock(values: Float32Array, start: number): void {
  for (let i = start; i < start + half; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - values[i]));
    const theta = 2 * Math.PI * values[i + half];
    values[i] = radius * Math.cos(theta);
    values[i + half] = radius * Math.sin(theta);
  }
}

/** Box-Muller in doubles, one pair at a time: `normal_distribution` in DistributionsHelper.h. */
function pairedGaussian(uint32: Uint32Source): () => number {
  let cached: number | undefined;
  const uniform = () => {
    const high = uint32() & 0x1fffff;
    return (high * 2 ** 32 + uint32()) * 2 ** -53;
  };
  return () => {
    if (cached !== undefined) {
      const value = cached;
      cached = undefined;
      return value;
    }
    const theta = 2 * Math.PI * uniform();
    const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
    cached = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  };
}
