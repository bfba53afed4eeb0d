import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { createNodeBackend } from '@sd/backend-node';
import { type BackendFeatures, type Model, type Tensor, tensor, torchCpu } from '@sd/core';
import { openCheckpoint, type TensorToWrite } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { halfBits } from '../../../fixtures/small-floats.js';
import { fileOf, floats, memorySource } from '../../weights/test/memory.js';
import { Graph, Scope, type Value } from '../src/index.js';
import { ModelProtoSchema } from './onnx/onnx_pb.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const random = torchCpu(0);
const noise = (...dims: number[]) => tensor('float32', dims, random.randn(dims.reduce((a, b) => a * b, 1)));
const weight = (name: string, ...dims: number[]) => floats(name, dims, noise(...dims).data);

async function scopeOf(...tensors: TensorToWrite[]): Promise<Scope> {
  const source = memorySource({ 'm/model.safetensors': await fileOf(tensors) });
  return new Scope(await openCheckpoint(source, 'm', { stems: ['model'] }));
}

/** Runs a graph with one input `x`; returns its outputs by name. */
async function run(model: Model, x: Tensor): Promise<Record<string, Tensor<'float32'>>> {
  const session = await backend.load(model);
  const outputs = await session.run({ x });
  await session.dispose();
  return outputs as Record<string, Tensor<'float32'>>;
}

/** The result of one operation on `x`. Its sizes are static unless `dims` names them. */
async function resultOf(
  x: Tensor<'float32'>,
  write: (g: Graph, x: Value) => Value,
  dims: readonly (number | string)[] = x.dims,
): Promise<Tensor<'float32'>> {
  const g = new Graph();
  g.output('y', write(g, g.input('x', dims)));
  return (await run(g.finish('test', { repeated: false }), x)).y;
}

/** A graph's operators, in order, and its external weights. */
function contentsOf(model: Model) {
  const { graph } = fromBinary(ModelProtoSchema, model.graph);
  const ops = graph!.node.map((node) => node.opType);
  return {
    ops,
    count: (op: string) => ops.filter((name) => name === op).length,
    external: graph!.initializer.filter(({ externalData }) => externalData.length > 0),
  };
}

describe('the graph', () => {
  test('is byte for byte what code generated from onnx.proto writes', async () => {
    const w = await scopeOf(weight('c.weight', 4, 3, 3, 3), weight('c.bias', 4));
    const g = new Graph();
    const x = g.input('x', ['n', 3, 'h', 'w']);
    const y = g.upsample(g.silu(g.conv(x, w.at('c'), 4, { stride: 2, padding: [0, 0, 1, 1] })), x);
    g.output('y', g.concat([y, g.mul(y, g.constant([0.5]))], 1));
    const { graph } = g.finish('test', { repeated: false });
    expect(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, graph))).toEqual(graph);
  });

  test('leaves out nodes, weights and shapes that no output needs', async () => {
    const w = await scopeOf(weight('used.weight', 4, 3), weight('idle.weight', 5, 4), weight('idle.bias', 5));
    const g = new Graph();
    const h = g.linear(g.input('x', ['n', 3]), w.at('used'), 4);
    g.silu(g.linear(h, w.at('idle'), 5));
    g.output('y', h);
    const model = g.finish('test', { repeated: false });
    const { ops, external } = contentsOf(model);
    expect(ops).toEqual(['Gemm', 'Identity']);
    expect(external.map(({ name }) => name)).toEqual(['0/used.weight[4,3]']);
    const x = noise(2, 3);
    expect((await run(model, x)).y.dims).toEqual([2, 4]);
  });

  test('has each weight once, at its place in the checkpoint', async () => {
    const [pad, used] = [weight('pad', 7), weight('used.weight', 3, 3)];
    const w = await scopeOf(pad, used);
    const g = new Graph();
    const x = g.input('x', ['n', 3]);
    g.output('y', g.linear(g.linear(x, w.at('used'), 3), w.at('used'), 3));
    const model = g.finish('test', { repeated: false });
    const { external } = contentsOf(model);
    expect(external).toHaveLength(1);
    const { offset, length } = w.tensor('used.weight', [3, 3]);
    expect(Object.fromEntries(external[0].externalData.map(({ key, value }) => [key, value]))).toEqual({
      location: 'm/model.safetensors',
      offset: String(offset),
      length: String(length),
    });
    expect(model.weights.map(({ location }) => location)).toEqual(['m/model.safetensors']);
  });

  test('collapses a chain of reshapes into one, and drops one that leads back', async () => {
    const g = new Graph();
    const x = g.input('x', ['n', 4, 'h', 'w']);
    const flat = g.reshape(x, ['n', 4, -1]);
    g.output('back', g.reshape(g.reshape(flat, ['n', 2, -1]), x.dims));
    g.output('chain', g.reshape(g.reshape(g.reshape(flat, ['n', 2, -1]), ['n', -1]), ['n', 4, -1]));
    const model = g.finish('test', { repeated: false });
    expect(contentsOf(model).count('Reshape')).toBe(1);
    const value = noise(2, 4, 3, 5);
    const { back, chain } = await run(model, value);
    expect([back.dims, chain.dims]).toEqual([
      [2, 4, 3, 5],
      [2, 4, 15],
    ]);
    expect([back.data, chain.data]).toEqual([value.data, value.data]);
  });

  test('flattens a sequence once for all matrices applied to it', async () => {
    const w = await scopeOf(...['q', 'k', 'v', 'o'].map((name) => weight(`${name}.weight`, 6, 6)));
    const g = new Graph();
    const x = g.input('x', ['n', 's', 6]);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => g.linear(x, w.at(name), 6));
    g.output('y', g.linear(g.add(g.add(q, k), v), w.at('o'), 6));
    // Reshapes: x to rows; q, k and v from rows; their sum to rows; the result from rows.
    expect(contentsOf(g.finish('test', { repeated: false })).count('Reshape')).toBe(6);
  });

  test('hints at a compact load only if many 16-bit weights will be widened', async () => {
    const g = new Graph();
    const small = (await scopeOf({ ...weight('a', 4), dtype: 'F16', bytes: () => new Uint8Array(8) })).tensor('a', [4]);
    g.output('y', g.weight(small));
    expect(g.finish('test', { repeated: true }).hints).toMatchObject({
      repeated: true,
      compact: false,
      weightBytes: 16,
    });
    const big = { ...small, name: 'b', shape: [2 ** 28], length: 2 ** 29 };
    g.weight(big);
    g.weight(big);
    expect(g.finish('test', { repeated: false }).hints).toMatchObject({
      repeated: false,
      compact: true,
      weightBytes: 16 + 2 ** 30,
    });
  });

  test('names a weight that is not a float', async () => {
    const ids: TensorToWrite = { name: 'ids', dtype: 'I64', shape: [1], bytes: () => new Uint8Array(8) };
    const view = (await scopeOf(ids)).tensor('ids', [1]);
    expect(() => new Graph().weight({ ...view, dtype: 'I64' })).toThrow(
      'the tensor ids is I64; weights must be F32, F16 or BF16.',
    );
  });

  test('needs a static number of channels', async () => {
    const w = await scopeOf(weight('conv.weight', 4, 3));
    const g = new Graph();
    expect(() => g.linear(g.input('x', ['n', 'c']), w.at('conv'), 4)).toThrow('Axis -1 of x [n,c] has no fixed size.');
  });
});

describe('linear', () => {
  test('the rows of one matrix give what the whole matrix gives', async () => {
    const w = await scopeOf(weight('proj.weight', 12, 5), weight('proj.bias', 12));
    const x = noise(2, 3, 5);
    const whole = await resultOf(x, (g, x) => g.linear(x, w.at('proj'), 12), ['n', 's', 5]);
    const parts = await resultOf(x, (g, x) => g.concat(g.linearParts(x, w.at('proj'), [4, 2, 6]), 2), ['n', 's', 5]);
    expect(parts.dims).toEqual([2, 3, 12]);
    expect(relativeError(parts.data, whole.data)).toBeLessThan(1e-6);
    expect(whole.data[12 + 7]).toBeCloseTo(await product(w, x.data.subarray(5, 10), 7), 5);
  });

  /** One element of a matrix times a vector plus the bias. */
  async function product(w: Scope, x: Float32Array, out: number): Promise<number> {
    const { file, offset } = w.tensor('proj.weight', [12, 5]);
    const { offset: biasOffset } = w.tensor('proj.bias', [12]);
    const { buffer } = await file.read();
    const row = new Float32Array(buffer, offset + out * 20, 5);
    return x.reduce((sum, value, i) => sum + value * row[i], new Float32Array(buffer, biasOffset, 12)[out]);
  }

  // Eighths up to 4 are exact in both types.
  const exact = noise(6, 5).data.map((value) => Math.max(-4, Math.min(4, Math.round(value * 8) / 8)));
  test.each([
    ['F16', (value: number) => halfBits(value)],
    ['BF16', (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16],
  ] as const)('%s weights are float32 ones of the same values', async (dtype, bits) => {
    const packed = { name: 'p.weight', dtype, shape: [6, 5] };
    const narrow = await scopeOf({ ...packed, bytes: () => new Uint8Array(Uint16Array.from(exact, bits).buffer) });
    const wide = await scopeOf(floats('p.weight', [6, 5], exact));
    const x = noise(3, 5);
    const [got, expected] = [
      await resultOf(x, (g, x) => g.linear(x, narrow.at('p'), 6)),
      await resultOf(x, (g, x) => g.linear(x, wide.at('p'), 6)),
    ];
    expect(got.data).toEqual(expected.data);
    const ids = tensor('int64', [1, 2], BigInt64Array.of(5n, 0n));
    const g = new Graph();
    g.output('y', g.embedding(g.input('x', ['n', 's'], 'int64'), narrow.tensor('p.weight', [6, 5])));
    const { y } = await run(g.finish('test', { repeated: false }), ids);
    expect([...y.data]).toEqual([...exact.subarray(25, 30), ...exact.subarray(0, 5)]);
  });

  test('a weight may start at any byte', async () => {
    const odd: TensorToWrite = { name: 'position_ids', dtype: 'U8', shape: [3], bytes: () => Uint8Array.of(1, 2, 3) };
    const w = await scopeOf(odd, floats('p.weight', [1, 2], [2, 3]));
    expect(w.tensor('p.weight', [1, 2]).offset % 4).toBe(3);
    const { data } = await resultOf(tensor('float32', [1, 2], Float32Array.of(10, 100)), (g, x) =>
      g.linear(x, w.at('p'), 1),
    );
    expect([...data]).toEqual([320]);
  });
});

describe('sizes known only at run time', () => {
  const shapes = [
    [1, 4, 8, 8],
    [2, 4, 7, 5],
    [1, 4, 1, 3],
  ];
  test.each(shapes)('%i x %i x %i x %i', async (...dims) => {
    const w = await scopeOf(
      weight('down.weight', 4, 4, 3, 3),
      weight('down.bias', 4),
      weight('norm.weight', 4),
      weight('norm.bias', 4),
      weight('proj.weight', 4, 4),
    );
    const write = (g: Graph, x: Value) => {
      const down = g.conv(g.groupNorm(x, w.at('norm'), { groups: 2, epsilon: 1e-5 }), w.at('down'), 4, { stride: 2 });
      const tokens = g.linear(g.toTokens(down), w.at('proj'), 4);
      const attended = g.fromTokens(g.attention(tokens, tokens, tokens, 2), down);
      return g.add(g.upsample(attended, x), x);
    };
    const x = noise(...dims);
    const fixed = await resultOf(x, write);
    const free = await resultOf(x, write, ['n', 4, 'h', 'w']);
    expect(free.dims).toEqual(dims);
    expect(free.data).toEqual(fixed.data);
  });

  test('a stride of two with padding on only two sides', async () => {
    const w = await scopeOf(floats('c.weight', [1, 1, 3, 3], [1, 0, 0, 0, 0, 0, 0, 0, 1]));
    const x = tensor(
      'float32',
      [1, 1, 4, 4],
      Float32Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const write = (g: Graph, x: Value) => g.conv(x, w.at('c'), 1, { stride: 2, padding: [0, 0, 1, 1] });
    for (const dims of [
      [1, 1, 4, 4],
      ['n', 1, 'h', 'w'],
    ]) {
      const y = await resultOf(x, write, dims);
      expect(y.dims).toEqual([1, 1, 2, 2]);
      // Top left plus bottom right of each window; the last row and column meet zeros.
      expect([...y.data]).toEqual([1 + 11, 3, 9, 11]);
    }
  });

  test('upsampling three pixels to the five of another value', async () => {
    const g = new Graph();
    const x = g.input('x', ['n', 1, 'h', 'w']);
    const three = g.conv(x, (await scopeOf(floats('c.weight', [1, 1, 1, 1], [1]))).at('c'), 1, {
      kernel: 1,
      stride: 2,
    });
    g.output('y', g.upsample(three, x));
    const model = g.finish('test', { repeated: false });
    const { y } = await run(model, tensor('float32', [1, 1, 1, 5], Float32Array.of(1, 0, 2, 0, 3)));
    expect(y.dims).toEqual([1, 1, 1, 5]);
    // torch.nn.functional.interpolate(torch.tensor([[[[1, 2, 3.]]]]), size=(1, 5), mode='nearest')
    expect([...y.data]).toEqual([1, 1, 2, 2, 3]);
  });

  test('upsampling to twice the size', async () => {
    const x = tensor('float32', [1, 1, 1, 2], Float32Array.of(1, 2));
    for (const dims of [
      [1, 1, 1, 2],
      ['n', 1, 'h', 'w'],
    ]) {
      const y = await resultOf(x, (g, x) => g.upsample(x), dims);
      expect(y.dims).toEqual([1, 1, 2, 4]);
      expect([...y.data]).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
    }
  });
});

describe('the values of', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  // torch.nn.functional.gelu(torch.tensor([-3, -1, -0.5, 0, 0.5, 1, 3.]))
  const gelu: Readonly<Record<number, number>> = {
    '-3': -0.00405023,
    '-1': -0.15865526,
    '-0.5': -0.15426877,
    '0': 0,
    '0.5': 0.34573123,
    '1': 0.84134471,
    '3': 2.99594975,
  };

  test.each([
    ['silu', (x: number) => x * sigmoid(x)],
    ['quickGelu', (x: number) => x * sigmoid(1.702 * x)],
    ['gelu', (x: number) => gelu[x]],
    ['geluTanh', (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
  ] as const)('%s', async (name, expected) => {
    const x = tensor('float32', [7], Float32Array.of(-3, -1, -0.5, 0, 0.5, 1, 3));
    const { data } = await resultOf(x, (g, x) => g[name](x));
    expect(relativeError(data, Float32Array.from(x.data, expected))).toBeLessThan(1e-6);
  });

  test('groupNorm: mean and variance over groups of channels', async () => {
    const w = await scopeOf(floats('n.weight', [4], [1, 2, 3, 4]), floats('n.bias', [4], [0, 1, 2, 3]));
    const x = tensor('float32', [1, 4, 1, 2], Float32Array.of(1, 2, 3, 4, 10, 10, 10, 14));
    const { data } = await resultOf(x, (g, x) => g.groupNorm(x, w.at('n'), { groups: 2, epsilon: 0.25 }));
    // One group has mean 2.5 and variance 1.25, the other mean 11 and variance 3.
    const [a, b] = [Math.sqrt(1.25 + 0.25), Math.sqrt(3 + 0.25)];
    const expected = [-1.5 / a, -0.5 / a, 1 + 1 / a, 1 + 3 / a, 2 - 3 / b, 2 - 3 / b, 3 - 4 / b, 3 + 12 / b];
    expect(relativeError(data, expected)).toBeLessThan(1e-6);
  });

  test('standardized and rmsNorm: the last axis', async () => {
    const w = await scopeOf(floats('n.weight', [4], [1, 2, 3, 4]));
    const x = tensor('float32', [1, 2, 4], Float32Array.of(1, 2, 3, 4, 10, 10, 10, 14));
    const standardized = await resultOf(x, (g, x) => g.standardized(x, 0.25));
    const [a, b] = [Math.sqrt(1.25 + 0.25), Math.sqrt(3 + 0.25)];
    const expected = [-1.5 / a, -0.5 / a, 0.5 / a, 1.5 / a, -1 / b, -1 / b, -1 / b, 3 / b];
    expect(relativeError(standardized.data, expected)).toBeLessThan(1e-6);
    const rms = await resultOf(x, (g, x) => g.rmsNorm(x, w.at('n'), 0.5));
    const [c, d] = [Math.sqrt(7.5 + 0.5), Math.sqrt(124 + 0.5)];
    const scaled = [1 / c, 4 / c, 9 / c, 16 / c, 10 / d, 20 / d, 30 / d, 56 / d];
    expect(relativeError(rms.data, scaled)).toBeLessThan(1e-6);
  });

  test('places: as many as an axis is long', async () => {
    const { dims, data } = await resultOf(noise(2, 3), (g, x) => g.op('Cast', [g.places(x, 1)], ['s'], { to: 1n }), [
      'n',
      's',
    ]);
    expect([dims, [...data]]).toEqual([[3], [0, 1, 2]]);
  });

  test.each([false, true])('attention with two heads, causal: %s', async (causal) => {
    const x = noise(1, 5, 4);
    const { data } = await resultOf(x, (g, x) => g.attention(x, x, x, 2, { causal }), ['n', 's', 4]);
    const expected = new Float32Array(20);
    for (let head = 0; head < 2; head++) {
      const part = (token: number) => x.data.subarray(token * 4 + head * 2, token * 4 + head * 2 + 2);
      for (let query = 0; query < 5; query++) {
        const weights = Array.from({ length: causal ? query + 1 : 5 }, (_, key) =>
          Math.exp((part(query)[0] * part(key)[0] + part(query)[1] * part(key)[1]) / Math.sqrt(2)),
        );
        const sum = weights.reduce((a, b) => a + b);
        weights.forEach((weight, key) => {
          for (const i of [0, 1]) expected[query * 4 + head * 2 + i] += (weight / sum) * part(key)[i];
        });
      }
    }
    expect(relativeError(data, expected)).toBeLessThan(1e-6);
  });

  test.each([
    [true, 0],
    [false, 1],
  ])('timestepEmbedding, cosine first: %s, shift %i', async (cosineFirst, shift) => {
    const x = tensor('float32', [2], Float32Array.of(3, 0.5));
    const { dims, data } = await resultOf(x, (g, x) => g.timestepEmbedding(x, 8, { cosineFirst, shift }), ['n']);
    expect(dims).toEqual([2, 8]);
    const expected = [...x.data].flatMap((t) => {
      const angles = [0, 1, 2, 3].map((i) => t * 10000 ** (-i / (4 - shift)));
      const [sines, cosines] = [angles.map(Math.sin), angles.map(Math.cos)];
      return cosineFirst ? [...cosines, ...sines] : [...sines, ...cosines];
    });
    expect(relativeError(data, expected)).toBeLessThan(1e-6);
  });
});

describe('attention from plain operators', () => {
  const [plain, half]: BackendFeatures[] = [{ fusedAttention: false }, { fusedAttention: false, float16: true }];
  const [queries, bias, biasOfHeads] = [noise(2, 5, 12), noise(2, 1, 5, 5), noise(1, 3, 5, 5)];

  /** Self-attention. */
  async function attended(
    features: BackendFeatures,
    { bias: added, ...options }: { causal?: boolean; bias?: Tensor<'float32'>; scale?: number },
  ) {
    const g = new Graph({ features });
    const x = g.input('x', ['n', 5, 12]);
    g.output('y', g.attention(x, x, x, 3, { ...options, bias: added && g.weight(await viewOf(added)) }));
    const model = g.finish('test', { repeated: false });
    return { ops: contentsOf(model).ops, y: (await run(model, queries)).y.data };
  }

  const viewOf = async ({ dims, data }: Tensor<'float32'>) =>
    (await scopeOf(floats('bias', dims, data))).tensor('bias', dims);

  test.each([
    ['as it is', {}],
    ['causal', { causal: true }],
    ['with a bias', { bias }],
    ['causal, with a bias', { causal: true, bias }],
    ['with a bias for each head, not scaled', { bias: biasOfHeads, scale: 1 }],
  ])('%s', async (_, options) => {
    const expected = await attended({}, options);
    expect(expected.ops).toContain('MultiHeadAttention');
    const got = await attended(plain, options);
    expect(got.ops).not.toContain('MultiHeadAttention');
    expect(relativeError(got.y, expected.y)).toBeLessThan(1e-6);
    expect(relativeError((await attended(half, options)).y, expected.y)).toBeLessThan(2e-3);
  });
});

describe('in half precision', () => {
  const features = { float16: true };
  const stored = async (dtype: 'F16' | 'F32') => {
    const values = Float32Array.from({ length: 16 }, (_, i) => 8 - i);
    const halves: TensorToWrite = {
      name: 'p.weight',
      dtype: 'F16',
      shape: [4, 4],
      bytes: () => new Uint8Array(Uint16Array.from(values, (value) => halfBits(value)).buffer),
    };
    return scopeOf(dtype === 'F16' ? halves : floats('p.weight', [4, 4], values));
  };

  test.each([
    ['F16', 2, 32],
    ['F32', 3, 32],
  ] as const)(
    '%s weights: what goes in and out is cast, and they are where they are float32',
    async (dtype, casts, bytes) => {
      const w = await stored(dtype);
      const g = new Graph({ features });
      const y = g.linear(g.input('x', ['n', 4]), w.at('p'), 4);
      expect(y.type).toBe('float16');
      g.output('y', y);
      g.output('again', y);
      const model = g.finish('test', { repeated: false });
      // One cast of x, and one of y for both outputs.
      expect(contentsOf(model).count('Cast')).toBe(casts);
      expect(model.hints?.weightBytes).toBe(bytes);
      const x = tensor('float32', [1, 4], Float32Array.of(1, 0, 0, 0.5));
      expect([...(await run(model, x)).y.data]).toEqual([10.5, 4.5, -1.5, -7.5]);
    },
  );

  test('normalizations whose squares would overflow it', async () => {
    const w = await scopeOf(floats('n.weight', [4], [1, 1, 1, 1]), floats('n.bias', [4], [0, 0, 0, 0]));
    const x = tensor('float32', [1, 4], Float32Array.of(3000, -3000, 3000, -3000));
    const g = new Graph({ features });
    // The weight makes it half precision.
    const half = g.add(g.input('x', ['n', 4]), g.weight(w.tensor('n.bias', [4])));
    expect(half.type).toBe('float16');
    const normal = g.layerNorm(half, w.at('n'));
    g.output('layers', normal);
    const map = g.reshape(half, [1, 4, 1]);
    g.output('groups', g.groupNorm(map, w.at('n'), { groups: 1, epsilon: 1e-5 }));
    const { layers, groups } = await run(g.finish('test', { repeated: false }), x);
    expect([...layers.data, ...groups.data]).toEqual([1, -1, 1, -1, 1, -1, 1, -1]);
  });
});
