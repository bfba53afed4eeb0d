import { loadT2iAdapter, type T2iAdapterConfig, t2iAdapterCondition, t2iAdapterInputs } from '@sd/adapters';
import { CheckpointError } from '@sd/core';
import { fitImage, grayTensor, unitTensor } from '@sd/image';
import type { UnetConfig } from '@sd/unet';
import { openT2iAdapterFile } from '../../load/single-file/t2i-adapter.js';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { backendOf } from './backend-of.js';
import { unetConfigOf } from './checkpoint-unet.js';
import { unusedTensors } from './unused.js';

export async function openT2iAdapter(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const backend = backendOf(context, 'a T2I-Adapter');
  const adapter = await loadT2iAdapter({
    backend,
    ...(file.path === '' ? { source: file.source, folder: '' } : await openT2iAdapterFile(file)),
  });
  const other = context.adapters.find(({ kind }) => kind === 't2i-adapter');
  const { imageChannels } = adapter.config;
  expectSameFamily(file.source.name ?? file.name, adapter.config, unetConfigOf(context));
  return {
    name: file.name,
    kind: 't2i-adapter',
    unet: other?.unet ?? t2iAdapterInputs(unetConfigOf(context)),
    pictures: {
      read:
        ([picture]) =>
        async ({ width, height, signal }) => {
          const sized = fitImage(picture!, { width, height, fit: 'stretch' });
          const image = imageChannels === 1 ? grayTensor(sized) : unitTensor(sized);
          const features = await adapter.features(image, { signal });
          return ({ strength }) => t2iAdapterCondition(features, strength);
        },
    },
    warnings: () => unusedTensors(adapter.unusedTensors),
    release: adapter.release,
    dispose: adapter.dispose,
  };
}

/** Throws a CheckpointError where the feature maps are not of the U-Net's channels or not at the places where it takes them. */
function expectSameFamily(file: string, { stages, factor }: T2iAdapterConfig, { levels }: UnetConfig): void {
  const channels = levels.map((level) => level.channels);
  // A level without attention takes them after it has halved the map, as SDXL's first does; the middle's may be there too.
  const taken = levels[0]!.downHeads > 0 ? 8 : 16;
  const misfit = [...channels, channels.at(-1)].findIndex((count, i) => stages[i] && stages[i].channels !== count);
  if (factor === taken && misfit < 0 && stages.length >= levels.length) return;
  const tensor =
    factor === taken && misfit >= 0 ? `adapter.body.${misfit}.resnets.0.block1.weight` : 'adapter.conv_in.weight';
  const given = stages.map((stage) => stage.channels).join(', ');
  const family = factor === 16 ? 'SDXL' : 'Stable Diffusion 1 or 2';
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `is for another model: its maps have channels ${given}, the first a place for each ${factor} pixels, but this U-Net takes ${channels.join(', ')} and ${taken}. It was made for ${factor === taken ? 'a U-Net of another shape' : family}; its first tensor that does not fit is ${tensor}.`,
    { tensor },
  );
}
