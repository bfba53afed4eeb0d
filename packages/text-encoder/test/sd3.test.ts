import { openFolder } from '@sd/backend-node';
import { Checkpoint, Config, openWeights, readConfig, renameTensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadTextEncoder } from '../src/index.js';
import { clipTextNames } from '../src/single-file.js';
import { backend, concatenate, tokensOf } from './encoder.js';

// The figures: fixtures/python/make.py sd3.
const folder = fixture('models/sd3');
const golden = readGolden('golden.safetensors', folder);
const tolerance = 1e-5;

const encoderIn = async (name: string) => loadTextEncoder({ source: await openFolder(folder), backend, folder: name });

test.each([
  ['text_encoder', 'text'],
  ['text_encoder_2', 'text2'],
])('%s: what the last layer but one leaves, and the projected vector', async (name, prefix) => {
  const encoder = await encoderIn(name);
  const embeddings = await encoder.encode(tokensOf(golden, prefix), { output: 'penultimate' });
  await encoder.dispose?.();
  const hidden = concatenate(embeddings.map((one) => one.hidden.data));
  const pooled = concatenate(embeddings.map((one) => one.pooled!.data));
  expect(stageError('sd3', hidden, golden(`${prefix}.hidden_penultimate`).data)).toBeLessThan(tolerance);
  expect(stageError('sd3', pooled, golden(`${prefix}.text_embeds`).data)).toBeLessThan(tolerance);
  expect(encoder.unusedTensors).toEqual([]);
});

test('the original file has no projection for the first, and its pooled vector is what the identity of the folder gives', async () => {
  const prefix = 'text_encoders.clip_l.transformer.';
  const { tensors } = await openWeights(await openFolder(fixture('adapters/single-file')), 'sd3.safetensors');
  const names = (name: string) => (name.startsWith(prefix) ? clipTextNames(name.slice(prefix.length)) : undefined);
  const encoder = await loadTextEncoder({
    backend,
    checkpoint: new Checkpoint('sd3.safetensors', renameTensors('sd3.safetensors', tensors, names)),
    config: new Config('sd3.safetensors', { ...(await configIn('text_encoder')), architectures: ['CLIPTextModel'] }),
  });
  const embeddings = await encoder.encode(tokensOf(golden, 'text'), { output: 'penultimate' });
  await encoder.dispose?.();
  const pooled = concatenate(embeddings.map((one) => one.pooled!.data));
  expect(stageError('single-file-sd3', pooled, golden('text.text_embeds').data)).toBeLessThan(tolerance);
  expect(encoder.unusedTensors).toEqual([]);
});

async function configIn(name: string): Promise<Record<string, unknown>> {
  const config = await readConfig(await openFolder(folder), `${name}/config.json`);
  return Object.fromEntries(config.entries());
}
