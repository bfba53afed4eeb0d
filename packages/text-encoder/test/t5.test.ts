import { createNodeBackend, openFolder } from '@sd/backend-node';
import {
  type Backend,
  CheckpointError,
  InvalidOptionError,
  TensorError,
  type Tokens,
  UnsupportedError,
} from '@sd/core';
import type { LayerExtension } from '@sd/graph';
import { Checkpoint, Config, openWeights, readConfig, type TensorView } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { loadT5Encoder, t5Config } from '../src/index.js';
import { t5ConfigFromShapes, t5EncoderNames } from '../src/single-file.js';
import { distanceBucketTable } from '../src/t5/distance-buckets.js';
import { textEncoderSuite } from '../src/testing.js';
import { backend, concatenate } from './encoder.js';

// The figures: fixtures/python/make.py sd3.
const folder = fixture('models/sd3');
const golden = readGolden('golden.safetensors', folder);
const tolerance = 1e-5;

const windows = [0, 1].map((i): Tokens => {
  const ids = Int32Array.from(golden('t5.input_ids').data.subarray(i * 32, (i + 1) * 32));
  return { ids, length: ids.indexOf(1) + 1, truncated: '' };
}) as [Tokens, Tokens];

const encoderIn = async () => loadT5Encoder({ source: await openFolder(folder), backend });

describe('the numbers of transformers', () => {
  test('hidden states from all tensors, without a pooled embedding', async () => {
    const encoder = await encoderIn();
    const embeddings = await encoder.encode(windows);
    await encoder.dispose?.();
    expect(embeddings[0].hidden.dims).toEqual([32, 96]);
    expect(embeddings[0]).not.toHaveProperty('pooled');
    const hidden = concatenate(embeddings.map(({ hidden }) => hidden.data));
    expect(stageError('t5', hidden, golden('t5.hidden').data)).toBeLessThan(tolerance);
    expect(encoder.unusedTensors).toEqual([]);
  });

  test('distance buckets', () => {
    // From -200 to 200; all from 128 on share a bucket.
    const expected = [...golden('t5.buckets').data];
    const table = distanceBucketTable({ distanceBuckets: 32, maxDistance: 128 });
    expect(table).toEqual(expected.slice(200 - 128, 200 + 129));
    expect(new Set(expected.slice(0, 73))).toEqual(new Set([table[0]]));
    expect(new Set(expected.slice(200 + 128))).toEqual(new Set([table[256]]));
  });

  test('a window of 256 tokens, as the pipeline fills it', async () => {
    const encoder = await encoderIn();
    const ids = new Int32Array(256);
    ids.set(windows[0].ids);
    const [{ hidden }] = await encoder.encode([{ ...windows[0], ids }]);
    await encoder.dispose?.();
    const want = golden('encoded.prompt').data.subarray(77 * 96);
    expect(stageError('t5', hidden.data, want)).toBeLessThan(tolerance);
  });

  test('without fused attention, and with the graph for WebAssembly', async () => {
    for (const changed of [
      { ...backend, features: { fusedAttention: false } },
      { ...backend, provider: 'wasm' },
    ]) {
      const encoder = await loadT5Encoder({ source: await openFolder(folder), backend: changed });
      const [{ hidden }] = await encoder.encode([windows[0]]);
      await encoder.dispose?.();
      expect(relativeError(hidden.data, golden('t5.hidden').data.subarray(0, 32 * 96))).toBeLessThan(tolerance);
    }
  });
});

describe('in half precision', () => {
  const half = createNodeBackend({ threads: 1, float16: true });
  afterAll(() => half.dispose());

  /** Hidden states of the encoder with the feed-forwards' last layers multiplied by a factor. */
  async function hiddenWith(on: Backend, factor: number): Promise<Float32Array> {
    const { tensors } = await openWeights(await openFolder(`${folder}/text_encoder_3`), 'model.safetensors');
    const scaled = await Promise.all(
      [...tensors].map(
        async ([name, view]) => [name, name.endsWith('.wo.weight') ? await times(view, factor) : view] as const,
      ),
    );
    const config = await readConfig(await openFolder(folder), 'text_encoder_3/config.json');
    const encoder = await loadT5Encoder({ backend: on, checkpoint: new Checkpoint('t5', new Map(scaled)), config });
    const [{ hidden }] = await encoder.encode([windows[0]]);
    await encoder.dispose?.();
    return hidden.data;
  }

  /** The tensor's values times a factor, in another file. */
  async function times(view: TensorView, factor: number): Promise<TensorView> {
    const bytes = (await view.file.read()).slice(view.offset, view.offset + view.length);
    const values = new Float32Array(bytes.buffer).map((value) => value * factor);
    const file = { location: `${view.name} x ${factor}`, read: async () => new Uint8Array(values.buffer) };
    return { ...view, file, offset: 0 };
  }

  test('the numbers are close to transformers’', async () => {
    const error = relativeError(await hiddenWith(half, 1), golden('t5.hidden').data.subarray(0, 32 * 96));
    // An error below what half precision allows would mean float32.
    expect(error).toBeGreaterThan(1e-4);
    expect(error).toBeLessThan(5e-3);
  });

  test('hidden states between layers can exceed the range of float16', async () => {
    const [actual, expected] = [await hiddenWith(half, 2 ** 18), await hiddenWith(backend, 2 ** 18)];
    expect(relativeError(actual, expected)).toBeLessThan(5e-3);
  });
});

test.each(textEncoderSuite({ create: encoderIn, tokens: windows }))('conformance: $name', ({ run }) => run());

test('every linear layer is offered to extensions', async () => {
  const modules: string[] = [];
  const listed: LayerExtension = {
    name: 'test',
    extend: () => ({
      layer: ({ module, output }) => {
        modules.push(module);
        return output;
      },
    }),
  };
  const encoder = (await encoderIn()).withExtensions([listed]);
  expect(modules).toHaveLength(2 * 7);
  expect(modules).toContain('encoder.block.1.layer.0.SelfAttention.q');
  expect(modules).toContain('encoder.block.0.layer.1.DenseReluDense.wo');
  await encoder.dispose?.();
});

describe('the original file', () => {
  const prefix = 'text_encoders.t5xxl.transformer.';
  async function original(): Promise<Map<string, TensorView>> {
    const { tensors } = await openWeights(await openFolder(fixture('adapters/single-file')), 'sd3.safetensors');
    const own = [...tensors].filter(([name]) => name.startsWith(prefix));
    return new Map(own.map(([name, view]) => [name.slice(prefix.length), view]));
  }

  test('has the same numbers, with a config from its shapes, and its table twice', async () => {
    const tensors = await original();
    tensors.set('encoder.embed_tokens.weight', tensors.get('shared.weight')!);
    const config = new Config('sd3.safetensors', t5ConfigFromShapes('sd3.safetensors', tensors));
    const encoder = await loadT5Encoder({ backend, checkpoint: new Checkpoint('sd3.safetensors', tensors), config });
    const [{ hidden }] = await encoder.encode([windows[0]]);
    await encoder.dispose?.();
    const want = golden('t5.hidden').data.subarray(0, 32 * 96);
    expect(stageError('single-file-sd3', hidden.data, want)).toBeLessThan(tolerance);
    expect(encoder.unusedTensors).toEqual([]);
  });

  test('without a table is a CheckpointError that names it', async () => {
    const tensors = await original();
    tensors.delete('shared.weight');
    expect(() => t5ConfigFromShapes('file', tensors)).toThrow(CheckpointError);
    expect(() => t5ConfigFromShapes('file', tensors)).toThrow('has no tensor encoder.embed_tokens.weight');
  });

  test('of a whole T5 loses its decoder', () => {
    expect(['decoder.block.0.layer.0.SelfAttention.q.weight', 'lm_head.weight'].map(t5EncoderNames)).toEqual([
      undefined,
      undefined,
    ]);
    expect(t5EncoderNames('shared.weight')).toBe('shared.weight');
  });
});

describe('what cannot be encoded', () => {
  test.each([
    [
      'windows of two lengths',
      [windows[0], { ...windows[1], ids: new Int32Array(8) }],
      /prompt 0 has 32 tokens and prompt 1 has 8/,
    ],
    [
      'a token that there is not',
      [{ ...windows[0], ids: Int32Array.of(132) }],
      /has 132 tokens, but prompt 0 has the token 132/,
    ],
  ])('%s', async (_, tokens, message) => {
    const encoder = await encoderIn();
    await expect(encoder.encode(tokens)).rejects.toThrow(TensorError);
    await expect(encoder.encode(tokens)).rejects.toThrow(message);
    await encoder.dispose?.();
  });

  test.each([{ clipSkip: 1 }, { output: 'penultimate' as const }])('with %o', async (options) => {
    const encoder = await encoderIn();
    await expect(encoder.encode(windows, options)).rejects.toThrow(InvalidOptionError);
    await encoder.dispose?.();
  });
});

describe('config', () => {
  const read = (values: Record<string, unknown>) => t5Config(new Config('text_encoder_3/config.json', values));

  test('that of T5 1.1 XXL, and the defaults of transformers', () => {
    const xxl = {
      d_model: 4096,
      d_kv: 64,
      d_ff: 10240,
      num_layers: 24,
      num_heads: 64,
      feed_forward_proj: 'gated-gelu',
    };
    const wanted = { vocabSize: 32128, headWidth: 64, distanceBuckets: 32, maxDistance: 128, epsilon: 1e-6 };
    expect(read(xxl)).toEqual({ ...wanted, width: 4096, feedForwardWidth: 10240, layers: 24, heads: 64 });
    expect(read({ feed_forward_proj: 'gated-gelu' })).toEqual({
      ...wanted,
      width: 512,
      feedForwardWidth: 2048,
      layers: 6,
      heads: 8,
    });
  });

  test('names a feed-forward that there is no graph for, which is the default', () => {
    expect(() => read({})).toThrow(UnsupportedError);
    expect(() => read({})).toThrow(
      'text_encoder_3/config.json: feed_forward_proj is "relu"; this version supports "gated-gelu".',
    );
  });
});
