import { openWeights } from '@sd/weights';
import { expect, test } from 'vitest';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { openLora } from '../../src/index.js';
import { readPeftConfig } from '../../src/lora/metadata.js';
import { matchesPattern } from '../../src/lora/patterns.js';
import { families } from '../families.js';
import { type Layer, normal, resultOf, type Values } from './support.js';

const query: Layer = {
  name: 'mid_block.attentions.0.transformer_blocks.0.attn1.to_q',
  weight: normal(8, 6),
};
const [down, up, x] = [normal(4, 6), normal(8, 4), normal(1, 3, 6)];
const factors = { 'lora_A.weight': down, 'lora_B.weight': up };

/** A folder with a file of one module, and a config beside it. */
async function opened(
  config: unknown,
  {
    file = 'style/adapter_model.safetensors',
    prefix = 'base_model.model.',
    tensors = factors as Readonly<Record<string, Values>>,
  } = {},
) {
  const bytes = await fileOf(
    Object.entries(tensors).map(([slot, { shape, data }]) => floats(`${prefix}${query.name}.${slot}`, shape, data)),
  );
  const json = typeof config === 'string' ? config : JSON.stringify(config);
  const beside = file.replace(/[^/]*$/, 'adapter_config.json');
  const weights = await openWeights(memorySource({ [file]: bytes, [beside]: json }), file);
  return openLora(weights, { name: 'style', families, peftConfig: await readPeftConfig(weights) });
}

/** By how much the factors' product is scaled. */
async function scaleBy(...args: Parameters<typeof opened>): Promise<number> {
  const [got, plain] = [await resultOf(query, x, await opened(...args), 1), await resultOf(query, x)];
  const once = await resultOf(query, x, await opened({}), 1);
  return Math.round(((got[0] - plain[0]) / (once[0] - plain[0])) * 1e4) / 1e4;
}

test.each<[string, unknown, number]>([
  ['no alpha is the rank', { r: 4 }, 1],
  ['lora_alpha over the rank', { r: 4, lora_alpha: 16 }, 4],
  ['a fraction', { r: 4, lora_alpha: 0.5 }, 0.125],
  ['over the root of the rank', { r: 4, lora_alpha: 16, use_rslora: true }, 8],
  ['a pattern: the end of a name', { r: 4, lora_alpha: 16, alpha_pattern: { to_q: 2 } }, 0.5],
  ['a pattern: more of it', { r: 4, lora_alpha: 16, alpha_pattern: { 'attn1.to_q': 2 } }, 0.5],
  ['a pattern: the whole name', { r: 4, lora_alpha: 16, alpha_pattern: { [query.name]: 2 } }, 0.5],
  ['a pattern from the start', { r: 4, lora_alpha: 16, alpha_pattern: { '^mid_block.*to_q': 2 } }, 0.5],
  [
    'a pattern with digits',
    { r: 4, lora_alpha: 16, alpha_pattern: { 'transformer_blocks\\.\\d+\\.attn\\d.to_q$': 2 } },
    0.5,
  ],
  ['a pattern of other modules', { r: 4, lora_alpha: 16, alpha_pattern: { to_k: 2, '^attn1.to_q': 2, o_q: 3 } }, 4],
  [
    'a pattern and the root of the rank',
    { r: 8, rank_pattern: { to_q: 4 }, lora_alpha: 16, use_rslora: true, alpha_pattern: { to_q: 2 } },
    1,
  ],
])('%s', async (_, config, scale) => {
  expect(await scaleBy(config)).toBe(scale);
});

test('the file may have another name, or stand at the top', async () => {
  expect(await scaleBy({ r: 4, lora_alpha: 16 }, { file: 'style/rose.safetensors' })).toBe(4);
  expect(await scaleBy({ r: 4, lora_alpha: 16 }, { file: 'adapter_model.safetensors' })).toBe(4);
});

test('a file that PEFT did not save is not concerned', async () => {
  expect(await scaleBy({ r: 4, lora_alpha: 16 }, { file: 'loras/rose.safetensors', prefix: 'unet.' })).toBe(1);
});

test('an alpha in the file counts first', async () => {
  const alpha: Values = { shape: [], data: Float32Array.of(2) };
  expect(await scaleBy({ r: 4, lora_alpha: 16 }, { tensors: { ...factors, alpha } })).toBe(0.5);
});

test('LoKr of whole factors: PEFT divides its alpha by the rank of the config', async () => {
  const tensors = { lokr_w1: normal(2, 2), lokr_w2: normal(4, 3) };
  const at = async (config: unknown) => resultOf(query, x, await opened(config, { tensors }), 1);
  const plain = await resultOf(query, x);
  const [one, four] = [await at({}), await at({ peft_type: 'LOKR', r: 4, alpha: 16 })];
  expect((four[0] - plain[0]) / (one[0] - plain[0])).toBeCloseTo(4, 4);
});

test('the bias of the second factor is scaled with it', async () => {
  const bias = normal(8);
  const lora = await opened({ r: 4, lora_alpha: 8 }, { tensors: { ...factors, 'lora_B.bias': bias } });
  const without = await resultOf(query, x, await opened({ r: 4, lora_alpha: 8 }), 0.5);
  const got = await resultOf(query, x, lora, 0.5);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(without[i] + bias.data[i % 8], 5);
  });
});

test.each<[string, unknown, RegExp]>([
  ['is no JSON', '{', /adapter_config\.json: is not JSON/],
  ['an alpha that is text', { lora_alpha: 'much' }, /adapter_config\.json: lora_alpha is "much", not a number\./],
  ['an alpha in a pattern', { alpha_pattern: { to_q: [1] } }, /alpha_pattern\.to_q is .*, not a number\./],
  [
    'a pattern with alternatives',
    { alpha_pattern: { '(to_q|to_k)': 2 } },
    /alpha_pattern has the pattern "\(to_q\|to_k\)"/,
  ],
])('a config is refused: %s', async (_, config, message) => {
  await expect(opened(config).then((lora) => resultOf(query, x, lora, 1))).rejects.toThrow(message);
});

test('patterns are matched in linear time', () => {
  const pattern = `${'.*'.repeat(20)}x`;
  const start = performance.now();
  expect(matchesPattern('a'.repeat(200), pattern)).toBe(false);
  expect(performance.now() - start).toBeLessThan(1000);
});

test.each<[string, string, boolean | undefined]>([
  ['a.b', 'b', true],
  ['a.b', 'a.b', true],
  ['ab', 'b', false],
  ['a.bc', 'b', false],
  ['a.bb', 'b+', true],
  ['a', 'ab?', true],
  ['a.12.c', '\\d+.c', true],
  ['x.ac', '\\d*.c', true],
  ['encoder.q', 'text_model.encoder.q', true],
  ['a', '\\bq', undefined],
  ['a', '[ab]', undefined],
  ['a', 'a{2}', undefined],
])('%s and %s', (module, pattern, matches) => {
  expect(matchesPattern(module, pattern)).toBe(matches);
});
