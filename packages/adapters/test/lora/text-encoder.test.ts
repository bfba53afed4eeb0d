import { openFolder } from '@sd/backend-node';
import { type TextEmbedding, type TextEncoderOptions, type Tokens, tensor } from '@sd/core';
import { loadTextEncoder } from '@sd/text-encoder';
import { expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { backend } from '../../../text-encoder/test/encoder.js';
import { type Lora, openLora } from '../../src/index.js';

const tolerance = 1e-5;

/** 'a blue car on a road' and 'pixel art', as a fixture's tokenizer reads them; SDXL's second one pads with 0. */
const promptsOf = (padding: number): Tokens[] =>
  [
    [1194, 320, 590, 896, 514, 320, 627, 1195],
    [1194, 652, 626, 1195],
  ].map((words) => {
    const ids = new Int32Array(77).fill(padding);
    ids.set(words);
    return { ids, length: words.length, truncated: '' };
  });

/** Both prompts by an encoder with LoRAs in it, each at its strength. */
async function encoded(
  model: string,
  folder: string,
  loras: readonly (readonly [Lora, number])[],
  options?: TextEncoderOptions,
): Promise<[TextEmbedding, TextEmbedding]> {
  const part = folder === 'text_encoder' ? 'textEncoder' : 'textEncoder2';
  const plain = await loadTextEncoder({ source: await openFolder(fixture(model)), backend, folder });
  const encoder = plain.withExtensions(loras.map(([lora]) => lora[part]!));
  for (const [lora] of loras) lora.check();
  const conditions = Object.fromEntries(
    loras.map(([{ name }, value]) => [`strength.${name}`, tensor('float32', [1], Float32Array.of(value))]),
  );
  const result = await encoder.encode(promptsOf(part === 'textEncoder' ? 1195 : 0), { ...options, conditions });
  await encoder.dispose?.();
  return result as [TextEmbedding, TextEmbedding];
}

const opened = async (folder: string, file = 'style') =>
  openLora(await openFolder(fixture(`adapters/${folder}`)), `${file}.safetensors`, { name: folder });
const peft = await opened('lora-peft', 'pytorch_lora_weights');
const kohya = await opened('lora-kohya');

test.each([
  ['lora-peft', [[peft, 0.7]]],
  ['lora-kohya', [[kohya, 0.7]]],
  [
    'lora-both',
    [
      [peft, 0.7],
      [kohya, 0.5],
    ],
  ],
  ['locon', [[await opened('locon'), 0.7]]],
  ['loha', [[await opened('loha'), 0.7]]],
  ['lokr', [[await opened('lokr'), 0.7]]],
  ['dora-lycoris', [[await opened('dora-lycoris'), 1]]],
] as const)('%s: the numbers of transformers', async (folder, loras) => {
  const golden = readGolden('golden.safetensors', fixture(`adapters/${folder}`));
  const [prompt, negative] = await encoded('models/sd1', 'text_encoder', loras);
  expect(stageError(folder, prompt.hidden.data, golden('text.prompt').data)).toBeLessThan(tolerance);
  expect(stageError(folder, negative.hidden.data, golden('text.negative').data)).toBeLessThan(tolerance);
});

test('both encoders of SDXL', async () => {
  const golden = readGolden('golden.safetensors', fixture('adapters/lora-sdxl'));
  const loras = [[await opened('lora-sdxl'), 0.7]] as const;
  const [one, two] = await Promise.all(
    ['text_encoder', 'text_encoder_2'].map((part) => encoded('models/sdxl', part, loras, { output: 'penultimate' })),
  );
  for (const [i, name] of ['prompt', 'negative'].entries()) {
    const width = [one, two].map((both) => both[i].hidden.dims[1]);
    const rows = Array.from({ length: 77 }, (_, row) =>
      [one, two].map((both, k) => [...both[i].hidden.data.subarray(row * width[k], (row + 1) * width[k])]),
    );
    expect(stageError('lora-sdxl', rows.flat(2), golden(`text.${name}`).data)).toBeLessThan(tolerance);
    const pooled = name === 'prompt' ? 'text.pooled' : 'text.negative_pooled';
    expect(stageError('lora-sdxl', two[i].pooled!.data, golden(pooled).data)).toBeLessThan(tolerance);
  }
});
