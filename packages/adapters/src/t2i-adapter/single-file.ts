import { originalT2iAdapterNames } from '@sd/adapters';
import { CheckpointError } from '@sd/core';
import { type ModelParts, openWeights, renameTensors } from '@sd/weights';
import { adapterParts, type FilePlace } from './adapter-file.js';
import type { Tensors } from './parts.js';

/**
 * A T2I-Adapter from a file, by diffusers' names or the original ones. Its config is the `config.json` beside it, or what
 * its shapes say. Throws a CheckpointError for a file without one.
 */
export async function openT2iAdapterFile(file: FilePlace): Promise<ModelParts> {
  const { source, path } = file;
  const { tensors } = await openWeights(source, path);
  const named = renameTensors(path, tensors, originalT2iAdapterNames);
  return adapterParts(file, named, () => shapesOf(path, named));
}

/** Pixels a side of the squares that adapters begin with: SD 1's, and SDXL's. */
const factors = [8, 16];

function shapesOf(path: string, tensors: Tensors) {
  const shape = (name: string) => {
    const found = tensors.get(name)?.shape;
    if (found !== undefined) return found;
    throw new CheckpointError('missing-tensor', path, `has no tensor ${name}: it is no T2I-Adapter.`, { tensor: name });
  };
  const count = (prefix: string) => {
    const numbers = [...tensors.keys()].flatMap((name) =>
      name.startsWith(prefix) ? [Number(name.slice(prefix.length).split('.', 1)[0])] : [],
    );
    return 1 + Math.max(...numbers);
  };
  const light = !tensors.has('adapter.conv_in.weight');
  const last = light ? 'out_conv' : 'resnets.0.block1';
  const channels = Array.from(
    { length: count('adapter.body.') },
    (_, i) => shape(`adapter.body.${i}.${last}.weight`)[0]!,
  );
  const [, inputs] = shape(light ? 'adapter.body.0.in_conv.weight' : 'adapter.conv_in.weight') as [number, number];
  // Three colours, or one; both factors give whole numbers for one of them alone.
  const factor = factors.find((side) => inputs === 3 * side ** 2) ?? factors.find((side) => inputs === side ** 2) ?? 8;
  return {
    adapter_type: light ? 'light_adapter' : factor === 16 ? 'full_adapter_xl' : 'full_adapter',
    in_channels: inputs / factor ** 2,
    channels: light ? channels.slice(0, -1) : channels,
    num_res_blocks: count('adapter.body.0.resnets.'),
    downscale_factor: factor,
  };
}
