import { InvalidOptionError } from '@sd/core';
import { loadT2iAdapter, t2iAdapterCondition, t2iAdapterInputs } from '@sd/unet/adapters';
import { fitPicture, shareTensor } from '../../picture/index.js';
import { grayTensor } from '../../picture/tensors.js';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';

export async function openT2iAdapter(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { backend, adapters } = context;
  if (backend === undefined)
    throw new InvalidOptionError('backend', 'is needed by createPipeline, for a T2I-Adapter to run on.');
  const adapter = await loadT2iAdapter({ backend, source: file.source, folder: '' });
  const other = adapters.find(({ kind }) => kind === 't2i-adapter');
  const { imageChannels } = adapter.config;
  return {
    name: file.name,
    kind: 't2i-adapter',
    unet: other?.unet ?? t2iAdapterInputs(unetConfigOf(context)),
    pictures: {
      async read(pictures, { option, width, height, signal }) {
        const [picture] = pictures;
        if (picture === undefined || pictures.length > 1) throw new InvalidOptionError(option, 'must be one picture.');
        const sized = fitPicture(picture, { width, height, fit: 'stretch' });
        const image = imageChannels === 1 ? grayTensor(sized) : shareTensor(sized);
        const features = await adapter.features(image, { signal });
        return ({ strength }) => t2iAdapterCondition(features, strength);
      },
    },
    release: adapter.release,
    dispose: adapter.dispose,
  };
}
