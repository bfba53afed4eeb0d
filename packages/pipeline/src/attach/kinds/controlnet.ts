import { type ControlNet, controlNetCondition, familyOfText, loadControlNet } from '@sd/adapters';
import { type Backend, CheckpointError } from '@sd/core';
import { fitImage, unitTensor } from '@sd/image';
import type { UnetConfig } from '@sd/unet';
import { hasFile } from '@sd/weights';
import type { Adapter } from '../adapter.js';
import type { AdapterContext, AdapterFile } from '../open.js';
import { backendOf } from './backend-of.js';
import { unetConfigOf } from './checkpoint-unet.js';
import { isExported, residualRoom } from './residual-room.js';
import { unusedTensors } from './unused.js';

export async function openControlNet(file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const { name, source, path } = file;
  const backend = backendOf(context, 'a ControlNet');
  const isOnnx = path === '' ? await hasFile(source, 'model.onnx') : /\.onnx$/i.test(path);
  const { net, added, spare } = isOnnx
    ? await exported(file, backend, context)
    : await checkpoint(file, backend, context);
  return {
    name,
    kind: 'controlnet',
    ...residualRoom(path === '' ? (source.name ?? name) : path, net.outputs, context),
    pictures: {
      read:
        ([picture]) =>
        async ({ width, height, signal }) => {
          const image = unitTensor(fitImage(picture!, { width, height, fit: 'stretch' }));
          const features = await net.readImage(image, { signal });
          return ({ told, ...use }) =>
            controlNetCondition({ net, features, ...use, conditions: added ? told : undefined });
        },
    },
    warnings: () => unusedTensors(spare),
    release: net.release,
    dispose: net.dispose,
  };
}

async function exported(file: AdapterFile, backend: Backend, context: AdapterContext) {
  const net = await (await import('./onnx-controlnet.js')).openOnnxControlNet(file, backend, context);
  return { net, added: net.added, spare: [] };
}

async function checkpoint(file: AdapterFile, backend: Backend, context: AdapterContext) {
  const { name, source, path } = file;
  const model =
    path === ''
      ? { source, folder: '' }
      : await (await import('../../load/single-file/control-net.js')).openControlNetFile(file, unetConfigOf(context));
  const net = await loadControlNet({ backend, ...model });
  if (!isExported(context.stages.unet)) expectSameFamily(path === '' ? (source.name ?? name) : path, net, context);
  return { net, added: net.config.unet.added !== undefined, spare: net.unusedTensors };
}

/** Throws a CheckpointError where the ControlNet is for a U-Net of another shape. */
function expectSameFamily(file: string, { config }: ControlNet, context: AdapterContext): void {
  const own = config.unet;
  const unet = unetConfigOf(context);
  const shape = ({ levels }: typeof own) =>
    `channels ${levels.map(({ channels }) => channels).join(', ')} and text of width ${levels[0]!.contextWidth}`;
  if (shape(own) === shape(unet)) return;
  const family = familyOfText(own.levels[0]!.contextWidth) ?? 'another model';
  const tensor = firstMisfit(own, unet);
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `is a ControlNet for a U-Net with ${shape(own)}, but this one has ${shape(unet)}. It was made for ${family}; its first tensor that does not fit is ${tensor}.`,
    { tensor },
  );
}

/** By diffusers' names: the convolutions come before the attentions of a level. */
function firstMisfit(own: UnetConfig, unet: UnetConfig): string {
  for (const [i, { channels, downHeads, contextWidth }] of own.levels.entries()) {
    const level = unet.levels[i];
    if (level?.channels !== channels) return `down_blocks.${i}.resnets.0.conv1.weight`;
    if (downHeads > 0 && level.contextWidth !== contextWidth)
      return `down_blocks.${i}.attentions.0.transformer_blocks.0.attn2.to_k.weight`;
  }
  return 'mid_block.resnets.0.conv1.weight';
}
