import { controlNetInputs } from '@sd/adapters';
import { CheckpointError, InvalidOptionError, type NoisePredictor } from '@sd/core';
import type { Adapter } from '../adapter.js';
import type { AdapterContext } from '../open.js';
import { unetConfigOf } from './checkpoint-unet.js';

/** A U-Net that was exported to ONNX with room for what ControlNets give, or without. */
interface ExportedUnet extends NoisePredictor {
  readonly residuals: readonly string[];
  /** How many ControlNets are in its own graph. */
  readonly controlNets: number;
}

export function isExported(unet: NoisePredictor): unet is ExportedUnet {
  return 'residuals' in unet;
}

/**
 * What makes room in the pipeline's U-Net for what a ControlNet gives: all of them enter it at the same places. An exported
 * one has that room or not: throws an InvalidOptionError if not, and a CheckpointError for a ControlNet with other outputs.
 */
export function residualRoom(file: string, outputs: readonly string[], context: AdapterContext): Pick<Adapter, 'unet'> {
  const { unet } = context.stages;
  if (!isExported(unet)) {
    const other = context.adapters.find(({ kind, unet: room }) => kind === 'controlnet' && room !== undefined);
    return { unet: other?.unet ?? controlNetInputs(unetConfigOf(context)) };
  }
  if (unet.residuals.length === 0) {
    throw new InvalidOptionError(
      'attach',
      unet.controlNets > 0
        ? 'is for a U-Net with room for a ControlNet; this one was exported with its own inside, and takes no other.'
        : 'needs a U-Net that was exported with inputs for a ControlNet, or one that was not exported.',
    );
  }
  const spare = outputs.find((name) => !unet.residuals.includes(name));
  if (spare === undefined && outputs.length === unet.residuals.length) return {};
  throw new CheckpointError(
    'bad-config',
    file,
    `is a ControlNet with ${outputs.length} outputs, but the U-Net takes ${unet.residuals.length}: it was made for another family of models.`,
  );
}
