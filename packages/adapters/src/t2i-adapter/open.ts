import { CheckpointError } from '@sd/core';
import { fitImage, grayTensor, unitTensor } from '@sd/image';
import type { UnetConfig } from '@sd/unet';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { readControls, useControls } from '../image-settings.js';
import { modelOf } from '../model-parts.js';
import { fileTitle, requireBackend, requireUnet } from '../requirements.js';
import { unusedTensors } from '../warnings.js';
import type { T2iAdapterConfig } from './config.js';
import { t2iAdapterCondition, t2iAdapterInputs } from './residuals.js';
import { t2iAdapterOptions } from './settings.js';
import { t2iAdapterFile } from './single-file.js';
import { loadT2iAdapter } from './t2i-adapter.js';

/** Opens a T2I-Adapter: a folder, or a file in either layout. */
export async function openT2iAdapter(file: AdapterFile, context: AttachContext): Promise<Adapter> {
  const backend = requireBackend(context, 'a T2I-Adapter');
  const adapter = await loadT2iAdapter({ backend, ...(await modelOf(file, t2iAdapterFile)) });
  const unet = requireUnet(context);
  expectSameShape(fileTitle(file), adapter.config, unet);
  const { noisePredictorComponent: component } = context.model;
  // All T2I-Adapters enter the U-Net at the same places.
  const other = context.adapters.find(({ kind }) => kind === 't2i-adapter');
  return {
    name: file.name,
    kind: 't2i-adapter',
    extensions: { [component]: other?.extensions[component] ?? t2iAdapterInputs(unet) },
    async use(settings, option) {
      const controls = await readControls(option, settings, t2iAdapterOptions, 'a T2I-Adapter');
      return useControls(controls, async ({ image, strength }, { width, height, signal }) => {
        const sized = fitImage(image, { width, height, fit: 'stretch' });
        const pixels = adapter.config.imageChannels === 1 ? grayTensor(sized) : unitTensor(sized);
        const features = await adapter.features(pixels, { signal });
        return () => t2iAdapterCondition(features, strength);
      });
    },
    warnings: () => unusedTensors(adapter.unusedTensors),
    release: adapter.release,
    dispose: adapter.dispose,
  };
}

/** Throws a CheckpointError where the feature maps have other channels than the U-Net's, or belong at other places. */
function expectSameShape(file: string, { stages, factor }: T2iAdapterConfig, { levels }: UnetConfig): void {
  const channels = levels.map((level) => level.channels);
  // A level without attention adds them after it has halved the map, as SDXL's first does; the mid block may take some too.
  const expectedFactor = levels[0].downHeads > 0 ? 8 : 16;
  const misfit = [...channels, channels.at(-1)].findIndex((count, i) => stages[i] && stages[i].channels !== count);
  if (factor === expectedFactor && misfit < 0 && stages.length >= levels.length) return;
  const tensor =
    factor === expectedFactor && misfit >= 0
      ? `adapter.body.${misfit}.resnets.0.block1.weight`
      : 'adapter.conv_in.weight';
  const given = stages.map((stage) => stage.channels).join(', ');
  const family = factor === 16 ? 'SDXL' : 'Stable Diffusion 1 or 2';
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `is for another model: its maps have channels ${given}, the first with one value for every ${factor} pixels, but this U-Net takes ${channels.join(', ')} and ${expectedFactor}. It was made for ${factor === expectedFactor ? 'a U-Net of another shape' : family}; its first tensor that does not fit is ${tensor}.`,
    { tensor },
  );
}
