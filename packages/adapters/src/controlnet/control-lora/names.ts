import { CheckpointError } from '@sd/core';
import { originalControlNetNames } from '@sd/unet';
import { renameTensors, type WeightsFile } from '@sd/weights';

/**
 * The tensors of a Control-LoRA by diffusers' names: those of a ControlNet, with `up` and `down` in place of `weight` where a
 * layer is changed. Throws a CheckpointError for a file without one.
 * @see github.com/Stability-AI/stability-ComfyUI-nodes, control_lora_create.py
 */
export function controlLoraTensors({ path, tensors }: WeightsFile): WeightsFile['tensors'] {
  if (!tensors.has('zero_convs.0.0.weight')) {
    const [first = 'none'] = tensors.keys();
    throw new CheckpointError('bad-checkpoint', path, `has no Control-LoRA: its first tensor is ${first}.`);
  }
  const named = originalControlNetNames(tensors.keys());
  return renameTensors(path, tensors, (name) => {
    // An empty tensor that marks the file.
    if (name === 'lora_controlnet') return undefined;
    const [, module, factor] = /^(.+\.)(up|down)$/.exec(name) ?? [];
    return module === undefined ? named(name) : named(`${module}weight`)?.replace(/weight$/, factor);
  });
}
