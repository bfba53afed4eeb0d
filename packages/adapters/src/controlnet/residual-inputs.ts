import { CheckpointError, hasResidualInputs, InvalidOptionError } from '@sd/core';
import type { UnetExtension } from '@sd/unet';
import type { Adapter, AttachContext } from '../adapter.js';
import { requireUnet } from '../requirements.js';
import { controlNetInputs } from './residuals.js';

/**
 * What gives the model's U-Net the inputs for a ControlNet's outputs: all ControlNets enter it at the same places. A U-Net
 * that was exported to ONNX has those inputs or not: throws an InvalidOptionError if not, and a CheckpointError for a
 * ControlNet with other outputs.
 */
export function residualExtensions(
  file: string,
  outputs: readonly string[],
  context: AttachContext,
): Adapter['extensions'] {
  const { noisePredictor, noisePredictorComponent: component } = context.model;
  if (!hasResidualInputs(noisePredictor)) {
    const inputs = controlNetInputs(requireUnet(context));
    const attached = context.adapters.map(({ extensions }) => extensions[component] as UnetExtension | undefined);
    return { [component]: attached.find((extension) => extension?.name === inputs.name) ?? inputs };
  }
  const { residuals, controlNets } = noisePredictor;
  if (residuals.length === 0) {
    throw new InvalidOptionError(
      'attach',
      controlNets > 0
        ? 'is for a U-Net with inputs for a ControlNet; this one was exported with its own inside, and takes no other.'
        : 'needs a U-Net that was exported with inputs for a ControlNet, or one that was not exported.',
    );
  }
  const unknown = outputs.find((name) => !residuals.includes(name));
  if (unknown === undefined && outputs.length === residuals.length) return {};
  throw new CheckpointError(
    'bad-config',
    file,
    `is a ControlNet with ${outputs.length} outputs, but the U-Net takes ${residuals.length}: it was made for another family of models.`,
  );
}
