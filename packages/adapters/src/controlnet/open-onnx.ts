import { CheckpointError, hasResidualInputs } from '@sd/core';
import type { AdapterFile, AttachContext } from '../adapter.js';
import { fileTitle, requireBackend, requireUnet } from '../requirements.js';
import { loadOnnxControlNet, type OnnxControlNet } from './onnx-controlnet.js';

/** Opens a ControlNet that was exported to ONNX. Throws a CheckpointError for one that reads text of another width. */
export async function openOnnxControlNet(file: AdapterFile, context: AttachContext): Promise<OnnxControlNet> {
  const { source, path } = file;
  const backend = requireBackend(context, 'a ControlNet');
  const net = await loadOnnxControlNet({ backend, source, ...(path !== '' && { path }) });
  const isExported = hasResidualInputs(context.model.noisePredictor);
  const width = isExported ? undefined : requireUnet(context).levels[0].contextWidth;
  if (width === undefined || net.contextWidth === undefined || width === net.contextWidth) return net;
  throw new CheckpointError(
    'bad-config',
    fileTitle(file),
    `is a ControlNet for text of width ${net.contextWidth}, but the U-Net reads text of width ${width}: it was made for another family of models.`,
  );
}
