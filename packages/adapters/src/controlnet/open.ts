import { CheckpointError, hasResidualInputs, lazyImport } from '@sd/core';
import type { UnetConfig } from '@sd/unet';
import { hasFile } from '@sd/weights';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { familyOfContext } from '../family.js';
import { modelOf } from '../model-parts.js';
import { fileTitle, requireBackend, requireUnet } from '../requirements.js';
import { controlNetAdapter } from './adapter.js';
import { type ControlNet, loadControlNet } from './controlnet.js';
import { controlNetFile } from './single-file.js';

/** Opens a ControlNet: a folder, a file in either layout, or a model that was exported to ONNX. */
export async function openControlNetAdapter(file: AdapterFile, context: AttachContext): Promise<Adapter> {
  const { source, path } = file;
  const isOnnx = path === '' ? await hasFile(source, 'model.onnx') : /\.onnx$/i.test(path);
  const opened = isOnnx ? await openExported(file, context) : await openCheckpoint(file, context);
  return controlNetAdapter({ kind: 'controlnet', ...opened }, file, context);
}

async function openExported(file: AdapterFile, context: AttachContext) {
  const net = await (await lazyImport(() => import('./open-onnx.js'))).openOnnxControlNet(file, context);
  return { net, takesFamilyCondition: net.added, unusedNames: [] };
}

async function openCheckpoint(file: AdapterFile, context: AttachContext) {
  const backend = requireBackend(context, 'a ControlNet');
  const model = await modelOf(file, (weights) => controlNetFile(weights, context));
  const net = await loadControlNet({ backend, ...model });
  if (!hasResidualInputs(context.model.noisePredictor)) expectSameShape(fileTitle(file), net, context);
  return { net, takesFamilyCondition: net.config.unet.added !== undefined, unusedNames: net.unusedTensors };
}

/** Throws a CheckpointError where the ControlNet is for a U-Net of another shape. */
function expectSameShape(file: string, { config }: ControlNet, context: AttachContext): void {
  const control = config.unet;
  const unet = requireUnet(context);
  const shapeOf = ({ levels }: UnetConfig) =>
    `channels ${levels.map(({ channels }) => channels).join(', ')} and text of width ${levels[0].contextWidth}`;
  if (shapeOf(control) === shapeOf(unet)) return;
  const family = familyOfContext(context.families, control.levels[0].contextWidth)?.title ?? 'another model';
  const tensor = firstMisfit(control, unet);
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `is a ControlNet for a U-Net with ${shapeOf(control)}, but this one has ${shapeOf(unet)}. It was made for ${family}; its first tensor that does not fit is ${tensor}.`,
    { tensor },
  );
}

/** By diffusers' names: the convolutions of a level come before its attentions. */
function firstMisfit(control: UnetConfig, unet: UnetConfig): string {
  for (const [i, { channels, downHeads, contextWidth }] of control.levels.entries()) {
    const level = unet.levels[i];
    if (level?.channels !== channels) return `down_blocks.${i}.resnets.0.conv1.weight`;
    if (downHeads > 0 && level.contextWidth !== contextWidth)
      return `down_blocks.${i}.attentions.0.transformer_blocks.0.attn2.to_k.weight`;
  }
  return 'mid_block.resnets.0.conv1.weight';
}
