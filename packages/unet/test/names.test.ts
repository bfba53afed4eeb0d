import path from 'node:path';
import { openFolder } from '@sd/backend-node';
import { openSafetensors } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { originalControlNetNames, originalUnetNames } from '../src/index.js';

async function namesIn(file: string): Promise<string[]> {
  const { tensors } = await openSafetensors(await openFolder(path.dirname(file)), path.basename(file));
  return [...tensors.keys()];
}

const withoutPrefix = (names: readonly string[], prefix: string) =>
  names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));

test.each(['sd1', 'sd2', 'sdxl'])('the original names of %s become those of its folder', async (model) => {
  const file = await namesIn(`${fixture('adapters/single-file')}/${model}.safetensors`);
  const names = withoutPrefix(file, 'model.diffusion_model.');
  const wanted = await namesIn(`${fixture(`models/${model}`)}/unet/diffusion_pytorch_model.safetensors`);
  expect(names.map(originalUnetNames(names)).sort()).toEqual(wanted.sort());
});

test('the original names of a ControlNet become those of its folder', async () => {
  const names = withoutPrefix(
    await namesIn(`${fixture('adapters/controlnet')}/control_model.safetensors`),
    'control_model.',
  );
  const wanted = await namesIn(`${fixture('adapters/controlnet')}/canny/diffusion_pytorch_model.safetensors`);
  expect(names.map(originalControlNetNames(names)).sort()).toEqual(wanted.sort());
});

describe('levels are told apart by down- and upsamplers', () => {
  // The first model has two residual blocks per level, the second three and one.
  const uniform = ['input_blocks.3.0.op.weight', 'input_blocks.6.0.op.weight', 'output_blocks.2.1.conv.weight'];
  const uneven = ['input_blocks.4.0.op.weight', 'output_blocks.1.2.conv.weight', 'output_blocks.5.1.conv.weight'];
  test.each([
    [uniform, 'input_blocks.2.1.norm.weight', 'down_blocks.0.attentions.1.norm.weight'],
    [uniform, 'input_blocks.3.0.op.weight', 'down_blocks.0.downsamplers.0.conv.weight'],
    [uniform, 'input_blocks.4.0.in_layers.0.bias', 'down_blocks.1.resnets.0.norm1.bias'],
    [uniform, 'input_blocks.8.0.out_layers.3.weight', 'down_blocks.2.resnets.1.conv2.weight'],
    [uniform, 'output_blocks.2.1.conv.weight', 'up_blocks.0.upsamplers.0.conv.weight'],
    [uniform, 'output_blocks.3.0.skip_connection.weight', 'up_blocks.1.resnets.0.conv_shortcut.weight'],
    [uneven, 'input_blocks.3.0.emb_layers.1.weight', 'down_blocks.0.resnets.2.time_emb_proj.weight'],
    [uneven, 'input_blocks.5.0.in_layers.2.weight', 'down_blocks.1.resnets.0.conv1.weight'],
    [uneven, 'output_blocks.1.2.conv.weight', 'up_blocks.0.upsamplers.0.conv.weight'],
    [uneven, 'output_blocks.5.0.out_layers.0.weight', 'up_blocks.1.resnets.3.norm2.weight'],
    [uniform, 'middle_block.2.in_layers.0.weight', 'mid_block.resnets.1.norm1.weight'],
    [uniform, 'label_emb.0.2.bias', 'add_embedding.linear_2.bias'],
  ])('of %j: %s is %s', (all, name, wanted) => {
    expect(originalUnetNames(all)(name)).toBe(wanted);
  });

  test('other names are unchanged', () => {
    for (const name of ['what.is.this', 'conv_in.weight', 'input_blocks.1.0.what.weight', 'middle_block.0.what.bias']) {
      expect(originalUnetNames(uniform)(name)).toBe(name);
    }
  });
});
