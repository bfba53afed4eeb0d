import { torchCpu } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { slerp } from '../../../src/generate/initial/slerp.js';

describe('between two noises', () => {
  const shape = [4, 8, 12] as const;
  const [a, b] = [torchCpu(1).randn(384), torchCpu(2).randn(384)];

  const onLine = (from: Float32Array, to: Float32Array, amount: number) =>
    from.map((value, i) => (1 - amount) * value + amount * to[i]);

  test('the ends are the noises themselves', () => {
    expect(slerp(a, b, 0, shape)).toEqual(a);
    expect(slerp(a, b, 1, shape)).toEqual(b);
  });

  test('the noise is as strong as they are, where a line would be weaker', () => {
    const deviation = (x: Float32Array) => Math.sqrt(x.reduce((sum, value) => sum + value ** 2, 0) / x.length);
    expect(deviation(slerp(a, b, 0.5, shape))).toBeCloseTo(1, 1);
    expect(deviation(onLine(a, b, 0.5))).toBeLessThan(0.75);
  });

  test('columns turn by themselves, here by a right angle', () => {
    const [one, two] = [Float32Array.of(1, 0, 2, 0), Float32Array.of(0, 1, 0, 2)];
    const half = Math.SQRT1_2;
    expect(slerp(one, two, 0.5, [2, 2, 1])).toEqual(Float32Array.of(half, half, 2 * half, 2 * half));
  });

  test('noises that all but agree, or lie opposite, are mixed along a line', () => {
    const near = a.map((value) => value * 1.5);
    expect(slerp(a, near, 0.25, shape)).toEqual(onLine(a, near, 0.25));
    const opposite = slerp(
      a,
      a.map((value) => -value),
      0.25,
      shape,
    );
    expect(opposite.every(Number.isFinite)).toBe(true);
  });
});
