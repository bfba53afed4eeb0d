import type { StageResources } from '@sd/core';
import { fitImage, unitTensor } from '@sd/image';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { readControls, useControls } from '../image-settings.js';
import { fileTitle } from '../requirements.js';
import { unusedTensors } from '../warnings.js';
import type { ControlNet } from './controlnet.js';
import { residualExtensions } from './residual-inputs.js';
import { type ActingControlNet, controlNetCondition } from './residuals.js';
import { controlNetOptions } from './settings.js';

interface OpenedControlNet {
  /** The kind of the adapter. */
  readonly kind: string;
  readonly net: ActingControlNet & Pick<ControlNet, 'readImage'> & StageResources;
  /** Whether it has the inputs besides text that the model's family has. */
  readonly takesFamilyCondition: boolean;
  /** Names of the tensors in its file that it does not use. */
  readonly unusedNames: readonly string[];
}

/** An opened ControlNet as an adapter of the model. Throws as `residualExtensions`. */
export function controlNetAdapter(
  { kind, net, takesFamilyCondition, unusedNames }: OpenedControlNet,
  file: AdapterFile,
  context: AttachContext,
): Adapter {
  return {
    name: file.name,
    kind,
    extensions: residualExtensions(fileTitle(file), net.outputs, context),
    async use(settings, option) {
      const controls = await readControls(option, settings, controlNetOptions, 'a ControlNet');
      return useControls(controls, async ({ image, strength, settings: { guess } }, { width, height, signal }) => {
        const pixels = unitTensor(fitImage(image, { width, height, fit: 'stretch' }));
        const features = await net.readImage(pixels, { signal });
        return ({ familyCondition, signal: passSignal }) =>
          controlNetCondition({
            net,
            features,
            strength,
            guess,
            conditions: takesFamilyCondition ? familyCondition : undefined,
            signal: passSignal,
          });
      });
    },
    warnings: () => unusedTensors(unusedNames),
    release: net.release,
    dispose: net.dispose,
  };
}
