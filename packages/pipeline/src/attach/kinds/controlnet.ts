import { CheckpointError, InvalidOptionError } from '@sd/core';
import { type ControlNet, controlNetCondition, controlNetInputs, loadControlNet } from '@sd/unet/adapters';
import { fitPicture, shareTensor } from '../../picture/index.js';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';

export async function openControlNet(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { name, source, path } = file;
  const { backend, adapters } = context;
  if (backend === undefined)
    throw new InvalidOptionError('backend', 'is needed by createPipeline, for a ControlNet to run on.');
  const model =
    path === ''
      ? { source, folder: '' }
      : await (await import('../../load/single-file/control-net.js')).openControlNetFile(file, unetConfigOf(context));
  const net = await loadControlNet({ backend, ...model });
  expectSameFamily(path === '' ? (source.name ?? name) : path, net, context);
  // All of them enter the U-Net at the same places.
  const other = adapters.find(({ kind }) => kind === 'controlnet');
  return {
    name,
    kind: 'controlnet',
    unet: other?.unet ?? controlNetInputs(unetConfigOf(context)),
    pictures: {
      async read(pictures, { option, width, height, signal }) {
        const [picture] = pictures;
        if (picture === undefined || pictures.length > 1) throw new InvalidOptionError(option, 'must be one picture.');
        const image = shareTensor(fitPicture(picture, { width, height, fit: 'stretch' }));
        const features = await net.readImage(image, { signal });
        return ({ told, ...use }) => {
          const conditions = net.config.unet.added === undefined ? undefined : told;
          return controlNetCondition({ net, features, ...use, conditions });
        };
      },
    },
    release: net.release,
    dispose: net.dispose,
  };
}

/** Throws a CheckpointError where the ControlNet is for a U-Net of another shape. */
function expectSameFamily(file: string, { config }: ControlNet, context: AdapterContext): void {
  const own = config.unet;
  const unet = unetConfigOf(context);
  const shape = ({ levels }: typeof own) =>
    `channels ${levels.map(({ channels }) => channels).join(', ')} and text of width ${levels[0]!.contextWidth}`;
  if (shape(own) === shape(unet)) return;
  throw new CheckpointError(
    'bad-config',
    file,
    `is a ControlNet for a U-Net with ${shape(own)}, but this one has ${shape(unet)}: it was made for another family of models.`,
  );
}
