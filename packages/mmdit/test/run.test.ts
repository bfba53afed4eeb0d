import { readFileSync } from 'node:fs';
import { openFolder } from '@sd/backend-node';
import { type Source, stack, type Tensor, type TextEmbedding, tensor, torchCpu } from '@sd/core';
import { type Condition, classifierFreeGuidance, createDenoiser } from '@sd/guidance';
import { parseSchedulerConfig, schedulerFromConfig } from '@sd/scheduler';
import { loadT5Encoder, loadTextEncoder } from '@sd/text-encoder';
import { loadT5Tokenizer, loadTokenizer } from '@sd/tokenizer';
import { loadVae } from '@sd/vae';
import { describe, expect, test } from 'vitest';
import { measured } from '../../../fixtures/deviations.js';
import { relativeError } from '../../../fixtures/golden.js';
import { backend, golden, mmditIn, sd3 } from './mmdit.js';

// Figures from fixtures/python/make.py sd3. All stages together, composed as in diffusers' StableDiffusion3Pipeline.

const prompts = ['a blue car on a road', 'pixel art'] as const;

interface EncodeOptions {
  readonly contextWidth: number;
  /** True if T5 encodes the prompt; otherwise zeros take the place of its tokens. */
  readonly withT5: boolean;
  readonly maxSequenceLength?: number;
}

/** Both CLIP models' tokens side by side, padded with zeros to the context's width, then T5's tokens. */
async function encodePrompts(source: Source, options: EncodeOptions): Promise<[TextEmbedding, TextEmbedding]> {
  const { contextWidth, withT5, maxSequenceLength = 256 } = options;
  const [first, second] = await Promise.all(['', '_2'].map((suffix) => clip(source, suffix)));
  const t5 = withT5 ? await t5Of(source, maxSequenceLength) : undefined;
  return prompts.map((_, i): TextEmbedding => {
    const [a, b] = [first[i], second[i]];
    const [tokens] = a.hidden.dims;
    const hidden = tensor('float32', [tokens + maxSequenceLength, contextWidth]);
    for (let token = 0; token < tokens; token++) {
      hidden.data.set(rowOf(a.hidden, token), token * contextWidth);
      hidden.data.set(rowOf(b.hidden, token), token * contextWidth + a.hidden.dims[1]);
    }
    if (t5 !== undefined) hidden.data.set(t5[i].hidden.data, tokens * contextWidth);
    const pooled = Float32Array.of(...a.pooled!.data, ...b.pooled!.data);
    return { hidden, pooled: tensor('float32', [pooled.length], pooled) };
  }) as [TextEmbedding, TextEmbedding];
}

async function clip(source: Source, suffix: string): Promise<TextEmbedding[]> {
  const tokenizer = await loadTokenizer(source, `tokenizer${suffix}`);
  const encoder = await loadTextEncoder({ source, backend, folder: `text_encoder${suffix}` });
  const tokens = prompts.map((prompt) => tokenizer.encode(prompt));
  const embeddings = await encoder.encode(tokens, { output: 'penultimate' });
  await encoder.dispose?.();
  return embeddings;
}

async function t5Of(source: Source, maxLength: number): Promise<TextEmbedding[]> {
  const tokenizer = await loadT5Tokenizer(source, { maxLength });
  const encoder = await loadT5Encoder({ source, backend });
  const embeddings = await encoder.encode(prompts.map((prompt) => tokenizer.encode(prompt)));
  await encoder.dispose?.();
  return embeddings;
}

const rowOf = ({ dims, data }: Tensor<'float32'>, i: number) => data.subarray(i * dims[1], (i + 1) * dims[1]);

const pooledProjections: Condition = ({ texts }) => ({
  pooled_projections: stack(texts.map(({ pooled }) => pooled!)),
});

describe.each([
  ['with T5', 'encoded', 'run', true, 256],
  ['without T5', 'encoded-without-t5', 'without-t5', false, 16],
])('%s', (_, encoded, run, withT5, maxSequenceLength) => {
  test('prompts are encoded as diffusers does', async () => {
    const source = await openFolder(sd3);
    const [positive, negative] = await encodePrompts(source, { contextWidth: 96, withT5, maxSequenceLength });
    const figures: [Tensor<'float32'>, string][] = [
      [positive.hidden, 'prompt'],
      [negative.hidden, 'negative'],
      [positive.pooled!, 'pooled'],
      [negative.pooled!, 'negative_pooled'],
    ];
    for (const [actual, name] of figures) {
      const expected = golden(`${encoded}.${name}`);
      expect([1, ...actual.dims]).toEqual(expected.dims);
      expect(relativeError(actual.data, expected.data)).toBeLessThan(1e-5);
    }
  });

  test('a run of six steps matches diffusers’ latents and image', async () => {
    const source = await openFolder(sd3);
    const mmdit = await mmditIn();
    const [positive, negative] = await encodePrompts(source, { contextWidth: mmdit.config.contextWidth, withT5 });
    const config = parseSchedulerConfig(readFileSync(`${sd3}/scheduler/scheduler_config.json`, 'utf8'));
    const { prediction, plan } = schedulerFromConfig(config);
    const { sampler, levels, initialSigma } = plan(6);
    const shape = [16, 8, 12] as const;
    const denoise = createDenoiser({
      noisePredictor: mmdit,
      prediction,
      guidance: classifierFreeGuidance({ scale: 7.5 }),
      positive,
      negative,
      conditions: [pooledProjections],
      shape,
    });
    const noise = torchCpu(42).randn(16 * 8 * 12);
    expect(initialSigma).toBe(1);
    let latents: Float32Array = noise;
    let largest = 0;
    let step = 0;
    for await (const { x } of sampler(denoise, noise, levels, { noise: () => new Float32Array() })) {
      const want = golden(`${run}.latents.${step++}`);
      latents = x;
      largest = Math.max(largest, ...want.data.map((value, i) => Math.abs(value - x[i])));
    }
    expect(step).toBe(6);
    const vae = await loadVae({ source, backend });
    const image = await vae.decode(tensor('float32', [1, ...shape], latents));
    await Promise.all([mmdit.dispose?.(), vae.dispose?.()]);
    const want = golden(`${run}.image`);
    const colours = Math.max(
      ...want.data.map((value, i) => {
        const unit = Math.min(1, Math.max(0, image.data[i] / 2 + 0.5));
        return Math.abs(Math.round(255 * unit) - Math.round(255 * value));
      }),
    );
    measured('sd3', { latents: largest, colours });
    expect(largest).toBeLessThan(1e-3);
    expect(colours).toBeLessThanOrEqual(1);
  });
});
