import { torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { slerp } from '../../../src/generate/initial/slerp.js';

describe('slerp between two noises', () => {
  const shape = [4, 8, 12] as const;
  const [a, b] = [torchCpu(1).randn(384), torchCpu(2).randn(384)];

  const lerp = (from: Float32Array, to: Float32Array, amount: number) =>
    from.map((value, i) => (1 - amount) * value + amount * to[i]);

  test('returns the noises at the ends', () => {
    expect(slerp(a, b, 0, shape)).toEqual(a);
    expect(slerp(a, b, 1, shape)).toEqual(b);
  });

  test('keeps the variance, which linear interpolation reduces', () => {
    const deviation = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0) / x.length);
    expect(deviation(slerp(a, b, 0.5, shape))).toBeCloseTo(1, 1);
    expect(deviation(lerp(a, b, 0.5))).toBeLessThan(0.75);
  });

  test('rotates each column by its own angle, here a right angle', () => {
    const [from, to] = [Float32Array.of(1, 0, 2, 0), Float32Array.of(0, 1, 0, 2)];
    const half = Math.SQRT1_2;
    expect(slerp(from, to, 0.5, [2, 2, 1])).toEqual(Float32Array.of(half, half, 2 * half, 2 * half));
  });

  test('interpolates nearly equal and opposite noises linearly', () => {
    const near = a.map((value) => value * 1.5);
    expect(slerp(a, near, 0.25, shape)).toEqual(lerp(a, near, 0.25));
    const opposite = slerp(
      a,
      a.map((value) => -value),
      0.25,
      shape,
    );
    expect(opposite.every(Number.isFinite)).toBe(true);
  });
});
