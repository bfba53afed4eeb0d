import { createNodeBackend, openFolder } from '@sd/backend-node';
import { type Backend, DisposedError, type NoisePredictorInput, TensorError, tensor, torchCpu } from '@sd/core';
import { noisePredictorSuite } from '@sd/core/testing';
import type { LayerExtension } from '@sd/graph';
import { describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { loadMmdit } from '../src/index.js';
import { backend, golden, input, mmditIn, only, sd3 } from './mmdit.js';

test.each(
  noisePredictorSuite({
    create: () => mmditIn(),
    contextWidth: 96,
    conditions: (batch) => ({ pooled_projections: tensor('float32', [batch, 72]) }),
    multiple: 2,
  }),
)('conformance: $name', ({ run }) => run());

test.each([
  [1, 2, 2],
  [2, 24, 4],
  [2, 6, 24],
])('%i latents of %i x %i, any number of tokens', async (n, height, width) => {
  const mmdit = await mmditIn();
  const noise = torchCpu(0);
  const whole = {
    sample: tensor('float32', [n, 16, height, width], noise.randn(n * 16 * height * width)),
    context: tensor('float32', [n, 3, 96], noise.randn(n * 3 * 96)),
    pooled: tensor('float32', [n, 72], noise.randn(n * 72)),
  };
  const predict = ({ sample, context, pooled }: typeof whole) =>
    mmdit.predict({ sample, timestep: 20.5, context, conditions: { pooled_projections: pooled } });
  const all = await predict(whole);
  expect(all.dims).toEqual([n, 16, height, width]);
  for (let i = 0; i < n; i++) {
    const [sample, context, pooled] = [whole.sample, whole.context, whole.pooled].map((value) => only(value, i));
    const alone = await predict({ sample, context, pooled });
    expect(relativeError(alone.data, only(all, i).data)).toBeLessThan(1e-5);
  }
  await mmdit.dispose?.();
});

describe('other forms of the graph', () => {
  async function errorWith(changed: Backend): Promise<number> {
    const mmdit = await loadMmdit({ source: await openFolder(sd3), backend: changed });
    const { data } = await mmdit.predict(input(500));
    await mmdit.dispose?.();
    return relativeError(data, golden('transformer.out.t500').data);
  }

  test('without fused attention, and with the graph for WebAssembly', async () => {
    expect(await errorWith({ ...backend, features: { fusedAttention: false } })).toBeLessThan(1e-5);
    expect(await errorWith({ ...backend, provider: 'wasm' })).toBeLessThan(1e-5);
  });

  test('in half precision', async () => {
    const half = createNodeBackend({ threads: 1, float16: true });
    const error = await errorWith(half);
    await half.dispose();
    // An error below what half precision allows would mean float32.
    expect(error).toBeGreaterThan(1e-4);
    expect(error).toBeLessThan(1e-2);
  });
});

test('every linear layer is offered to extensions, each slice of a shared matrix separately', async () => {
  const modules = new Map<string, number>();
  const twice: LayerExtension = {
    name: 'test',
    extend: (g) => ({
      layer: ({ module, output }) => {
        modules.set(module, (modules.get(module) ?? 0) + 1);
        return module === 'proj_out' ? g.add(output, output) : output;
      },
    }),
  };
  const mmdit = await mmditIn();
  const doubled = mmdit.withExtensions([twice]);
  const [plain, changed] = [await mmdit.predict(input(500)), await doubled.predict(input(500))];
  expect(
    relativeError(
      changed.data,
      plain.data.map((value) => 2 * value),
    ),
  ).toBeLessThan(1e-6);
  expect(modules.get('transformer_blocks.0.norm1.linear')).toBe(9);
  for (const layer of ['attn.to_q', 'attn.add_k_proj', 'attn.to_add_out', 'attn2.to_out.0', 'ff.net.0.proj']) {
    expect(modules.get(`transformer_blocks.0.${layer}`), layer).toBe(1);
  }
  await Promise.all([mmdit.dispose?.(), doubled.dispose?.()]);
});

describe('invalid inputs are refused', () => {
  const wrong: [string, Partial<NoisePredictorInput>, RegExp][] = [
    [
      'another number of channels',
      { sample: tensor('float32', [2, 4, 8, 12]) },
      /sample must be float32 \[\*, 16, \*, \*\]/,
    ],
    [
      'an odd height',
      { sample: tensor('float32', [2, 16, 7, 12]) },
      /sample is 7 x 12, but its sides must be multiples of 2, up to 24\./,
    ],
    ['a larger size than there are positions for', { sample: tensor('float32', [2, 16, 8, 26]) }, /up to 24/],
    [
      'a context of another width',
      { context: tensor('float32', [2, 77, 80]) },
      /context must be float32 \[2, \*, 96\]/,
    ],
    ['no pooled text', { conditions: {} }, /The mmdit needs pooled_projections, float32 \[batch, 72\]\./],
  ];
  test.each(wrong)('%s', async (_, change, message) => {
    const mmdit = await mmditIn();
    const run = mmdit.predict({ ...input(1), ...change });
    await expect(run).rejects.toThrow(TensorError);
    await expect(run).rejects.toThrow(message);
    await mmdit.dispose?.();
  });

  test('disposed models; released ones load again', async () => {
    const mmdit = await mmditIn();
    expect(mmdit.needs).toMatchObject([{ name: 'pooled_projections', dims: ['batch', 72] }]);
    await mmdit.load?.();
    await mmdit.release?.();
    expect((await mmdit.predict(input(1))).dims).toEqual([2, 16, 8, 12]);
    await mmdit.dispose?.();
    await expect(mmdit.predict(input(1))).rejects.toBeInstanceOf(DisposedError);
  });
});
