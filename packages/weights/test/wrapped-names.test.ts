import { describe, expect, test } from 'vitest';
import { openWeights } from '../src/index.js';
import { fileOf, floats, memorySource } from './memory.js';

const namesOf = async (...names: readonly string[]) => {
  const file = await fileOf(names.map((name) => floats(name, [1], [1])));
  const { tensors, stored } = await openWeights(memorySource({ x: file }), 'x');
  expect([...stored.keys()]).toEqual([...tensors.keys()]);
  return [...tensors.keys()];
};

describe('what training and saving wrapped around names is removed', () => {
  test.each([
    ['DataParallel', ['module.conv_in.weight', 'module.conv_in.bias']],
    ['torch.compile', ['_orig_mod.conv_in.weight', '_orig_mod.conv_in.bias']],
    ['a dict around the state dict', ['state_dict.conv_in.weight', 'state_dict.conv_in.bias']],
    ['all of them', ['state_dict.module._orig_mod.conv_in.weight', 'state_dict.module._orig_mod.conv_in.bias']],
    ['FSDP', ['_fsdp_wrapped_module.conv_in.weight', 'conv_in._fsdp_wrapped_module.bias']],
  ])('%s', async (_, names) => {
    expect(await namesOf(...names)).toEqual(['conv_in.weight', 'conv_in.bias']);
  });

  test('inside a name too', async () => {
    expect(await namesOf('model.diffusion_model._orig_mod.out.2.bias')).toEqual(['model.diffusion_model.out.2.bias']);
  });

  test('but not a prefix that only some have, nor where two names would be one', async () => {
    expect(await namesOf('module.a', 'b')).toEqual(['module.a', 'b']);
    expect(await namesOf('_orig_mod.a', 'a')).toEqual(['_orig_mod.a', 'a']);
  });
});
