import { loadOnnxControlNet, type OnnxControlNet } from '@sd/adapters';
import { type Backend, CheckpointError } from '@sd/core';
import type { AdapterContext, AdapterFile } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';
import { isExported } from './residual-room.js';

/** Opens a ControlNet that was exported to ONNX. Throws a CheckpointError for one that reads text of another width. */
export async function openOnnxControlNet(
  { source, path, name }: AdapterFile,
  backend: Backend,
  context: AdapterContext,
): Promise<OnnxControlNet> {
  const net = await loadOnnxControlNet({ backend, source, ...(path !== '' && { path }) });
  const { unet } = context.stages;
  const width = isExported(unet) ? undefined : unetConfigOf(context).levels[0]!.contextWidth;
  if (width === undefined || net.contextWidth === undefined || width === net.contextWidth) return net;
  throw new CheckpointError(
    'bad-config',
    path === '' ? (source.name ?? name) : path,
    `is a ControlNet for text of width ${net.contextWidth}, but the U-Net reads text of width ${width}: it was made for another family of models.`,
  );
}
