import { describe, expect, test } from 'vitest';
import { InvalidOptionError, numpyLegacy, nvPhilox, type RandomSourceFactory, torchCpu } from '../src/index.js';
import { mt19937 } from '../src/random/mt19937.js';
import { philox4x32 } from '../src/random/nv-philox.js';
import numpyGolden from './data/numpy-randn.json' with { type: 'json' };
import golden from './data/rng.json' with { type: 'json' };

const tolerance = 2e-6;

function largestDifference(got: ArrayLike<number>, expected: readonly number[]): number {
  expect(got.length).toBe(expected.length);
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - got[i])), 0);
}

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

describe('mt19937', () => {
  test.each(golden.mt_u32)('seed $seed gives the same raw numbers as torch', ({ seed, values }) => {
    const next = mt19937(Number(BigInt.asUintN(32, BigInt(seed))));
    expect(values.map(() => next())).toEqual(values);
  });

  test('the 10,000th number of seed 5489 is 4123659995, as the C++ standard requires', () => {
    const next = mt19937(5489);
    for (let i = 1; i < 10_000; i++) next();
    expect(next()).toBe(4123659995);
  });
});

describe('torchCpu', () => {
  const cases = golden.cpu_randn;

  test.each(cases.filter((c) => c.values !== undefined && c.seq === undefined))('seed $seed, $n values', (c) => {
    const got = torchCpu(BigInt(c.seed)).randn(c.n);
    const expected = c.values as number[];
    if (c.n < 16) expect([...got]).toEqual(expected);
    else expect(largestDifference(got, expected)).toBeLessThan(tolerance);
  });

  test.each(cases.filter((c) => c.seq !== undefined))('seed $seed, draws of $seq keep the odd value', (c) => {
    const random = torchCpu(BigInt(c.seed));
    c.seq.forEach((count, i) => {
      const got = random.randn(count);
      const expected = (c.values as number[][])[i];
      if (count < 16) expect([...got]).toEqual(expected);
      else expect(largestDifference(got, expected)).toBeLessThan(tolerance);
    });
  });

  test.each(cases.filter((c) => c.first8 !== undefined))('seed $seed, the latents of a 512 x 512 image', (c) => {
    const got = torchCpu(BigInt(c.seed)).randn(c.n);
    expect(largestDifference(got.subarray(0, 8), c.first8)).toBeLessThan(tolerance);
    expect(largestDifference(got.subarray(-4), c.last4)).toBeLessThan(tolerance);
    expect(Math.abs(sum(got) - c.sum)).toBeLessThan(2e-3);
    expect(Math.abs(sum(got.map(Math.abs)) - c.sum_abs)).toBeLessThan(2e-3);
  });

  test('a negative seed wraps around', () => {
    // torch.randn(3, generator=torch.Generator().manual_seed(-5))
    expect([...torchCpu(-5).randn(3)]).toEqual([-1.8266246318817139, 0.6379720568656921, -1.7862693071365356]);
    expect(torchCpu(-5).randn(3)).toEqual(torchCpu(2n ** 64n - 5n).randn(3));
  });

  test('only the low 32 bits of a seed count', () => {
    expect(torchCpu(2 ** 32 + 5).randn(20)).toEqual(torchCpu(5).randn(20));
  });
});

describe('nvPhilox', () => {
  test.each([
    [0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [0xffffffff, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  ])("Random123's known answer for words of %d", (word, expected) => {
    const out = new Uint32Array(4);
    philox4x32(out, [word, word, word, word], word, word);
    expect([...out]).toEqual(expected);
  });

  test.each(golden.philox_nv)('seed $seed', ({ seed, first_call_12, second_call_4 }) => {
    const random = nvPhilox(BigInt(seed));
    expect(largestDifference(random.randn(12), first_call_12)).toBeLessThan(tolerance);
    expect(largestDifference(random.randn(4), second_call_4)).toBeLessThan(tolerance);
  });

  test('all 64 bits of a seed count', () => {
    expect(nvPhilox(2 ** 32 + 5).randn(4)).not.toEqual(nvPhilox(5).randn(4));
  });
});

describe('numpyLegacy', () => {
  test.each(numpyGolden.cases)('seed $seed', ({ seed, first, last, sum: total }) => {
    const random = numpyLegacy(BigInt(seed));
    const head = random.randn(9);
    expect([...head]).toEqual(first.map(Math.fround));
    const rest = random.randn(16384 - 9);
    expect([...rest.subarray(-4)]).toEqual(last.map(Math.fround));
    expect(Math.abs(sum(head) + sum(rest) - total)).toBeLessThan(1e-4);
  });

  test.each([-1, 2 ** 32])('rejects the seed %d, as NumPy does', (seed) => {
    expect(() => numpyLegacy(seed)).toThrow(InvalidOptionError);
  });
});

describe.each<[string, RandomSourceFactory]>([
  ['torchCpu', torchCpu],
  ['nvPhilox', nvPhilox],
  ['numpyLegacy', numpyLegacy],
])('%s', (_, create) => {
  test.each([
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    2n ** 64n,
    -(2n ** 63n) - 1n,
    '7' as unknown as number,
  ])('rejects the seed %s', (seed) => {
    expect(() => create(seed)).toThrow(expect.objectContaining({ code: 'invalid-option', option: 'seed' }));
  });

  test('a number and a bigint are the same seed', () => {
    expect(create(123).randn(40)).toEqual(create(123n).randn(40));
  });

  test('draws 65,536 values in less than 0.1 s', () => {
    create(1).randn(65_536);
    const start = performance.now();
    create(2).randn(65_536);
    expect(performance.now() - start).toBeLessThan(100);
  });
});
