import path from 'node:path';
import { openFolder } from '@sd/backend-node';
import { openSafetensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { originalTinyVaeNames, originalVaeNames, vaeNames } from '../src/single-file.js';

async function namesIn(file: string): Promise<string[]> {
  const { tensors } = await openSafetensors(await openFolder(path.dirname(file)), path.basename(file));
  return [...tensors.keys()];
}

test.each(['sd1', 'sd2', 'sdxl'])('the original names of %s become those of its folder', async (model) => {
  const prefix = 'first_stage_model.';
  const file = await namesIn(`${fixture('adapters/single-file')}/${model}.safetensors`);
  const names = file.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const wanted = await namesIn(`${fixture(`models/${model}`)}/vae/diffusion_pytorch_model.safetensors`);
  expect(names.map(originalVaeNames(names)).sort()).toEqual(wanted.sort());
});

test('the original numbers the decoder’s levels in reverse', () => {
  const name = originalVaeNames(['decoder.up.0.block.0.norm1.weight', 'decoder.up.3.block.0.norm1.weight']);
  expect(name('decoder.up.3.upsample.conv.weight')).toBe('decoder.up_blocks.0.upsamplers.0.conv.weight');
  expect(name('decoder.up.0.block.2.nin_shortcut.weight')).toBe('decoder.up_blocks.3.resnets.2.conv_shortcut.weight');
  expect(name('encoder.down.0.downsample.conv.bias')).toBe('encoder.down_blocks.0.downsamplers.0.conv.bias');
  expect(name('encoder.mid.attn_1.proj_out.weight')).toBe('encoder.mid_block.attentions.0.to_out.0.weight');
});

test('diffusers’ names and unknown ones are unchanged', async () => {
  const names = await namesIn(`${fixture('models/sd1')}/vae/diffusion_pytorch_model.safetensors`);
  const original = originalVaeNames(names);
  expect(names.map((name) => vaeNames(original(name)!))).toEqual(names);
  expect(originalVaeNames([])('what.is.this')).toBe('what.is.this');
});

test('TAESD’s names, with a clamp as the decoder’s first layer', () => {
  expect(originalTinyVaeNames('decoder')('3.conv.0.weight')).toBe('decoder.layers.2.conv.0.weight');
  expect(originalTinyVaeNames('encoder')('0.bias')).toBe('encoder.layers.0.bias');
  expect(originalTinyVaeNames('encoder')('what.is.this')).toBeUndefined();
});
