import type { NoiseLevel, NoiseOptions, NoiseSource } from '@sd/core';
import { noiseRatio } from '../level.js';
import { roundHalfEven } from '../numbers.js';
import { seedSequence } from './seed-sequence.js';

/**
 * Noise from one Brownian path over the sigma / alpha of `levels`: draws for overlapping intervals agree with each other,
 * and do not depend on their order or number. Each is the path's increment over its interval, divided by the square root
 * of the interval's length. `seed` decides the path: diffusers' `noise_sampler_seed`, or the image's seed in A1111 and
 * ComfyUI. `random` generates its numbers: torch's on the CPU in diffusers and ComfyUI.
 *
 * Follows `BrownianTreeNoiseSampler` of k-diffusion and diffusers over torchsde's `BrownianInterval` (0.2.6, with
 * `halfway_tree=True`, `tol=1e-6`, `pool_size=24`): the range is halved until it hits a noise ratio rounded to 1e-6, and the
 * noise of each half is seeded by its place in the tree.
 */
export function brownianNoise({ levels, ...options }: NoiseOptions): NoiseSource {
  const ratios = levels.map(ratio32).filter((ratio) => ratio > 0);
  const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
  const pathAt = brownianPath(options, min, max);
  let recent: { time: number; values: Float64Array }[] = [];
  const valuesAt = (ratio: number) => {
    const time = roundToMillionths(Math.min(Math.max(ratio, min), max));
    const values = recent.find((entry) => entry.time === time)?.values ?? pathAt(time);
    recent = [{ time, values }, ...recent.filter((entry) => entry.time !== time)].slice(0, 2);
    return values;
  };
  return (from, to) => {
    const [high, low] = [ratio32(from), ratio32(to)];
    const [start, end] = [valuesAt(high), valuesAt(low)];
    const scale = high === low ? 0 : 1 / Math.sqrt(Math.fround(Math.abs(low - high)));
    return Float32Array.from(start, (value, i) => (end[i] - value) * scale);
  };
}

function ratio32(level: NoiseLevel): number {
  return Math.fround(noiseRatio(level));
}

/** The path's values at a time, relative to those at the start. */
function brownianPath({ seed, size, random }: Omit<NoiseOptions, 'levels'>, min: number, max: number) {
  const entropy = BigInt.asUintN(64, BigInt(seed));
  const noise = (key?: readonly number[]) => random(seedSequence(entropy, key)).randn(size);
  const [first, last] = [roundToMillionths(min), roundToMillionths(max)];
  const whole = noise();
  return (time: number): Float64Array => {
    let [start, end] = [first, last];
    const increment = Float64Array.from(whole, (value) => value * Math.sqrt(max - min));
    const values = new Float64Array(size);
    for (let key = 0, depth = 0; time > start; depth++) {
      if (time >= end) return values.map((value, i) => value + increment[i]);
      const middle = roundToMillionths(0.5 * (end + start));
      const isLeft = time <= middle;
      const share = (middle - start) / (end - start);
      const deviation = Math.sqrt(share * (end - middle));
      for (const [i, value] of noise([key, depth]).entries()) {
        const left = share * increment[i] + deviation * value;
        if (!isLeft) values[i] += left;
        increment[i] = isLeft ? left : increment[i] - left;
      }
      key = 2 * key + (isLeft ? 0 : 1);
      if (isLeft) end = middle;
      else start = middle;
    }
    return values;
  };
}

/** Python's `round(value, 6)`. */
function roundToMillionths(value: number): number {
  // Only odd multiples of 1/128 lie halfway between two millionths.
  if (Math.abs(value * 128) % 2 === 1) return roundHalfEven(value * 1e6) / 1e6;
  return Number(value.toFixed(6));
}
