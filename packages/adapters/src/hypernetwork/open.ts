import { tensor } from '@sd/core';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { requireWeights } from '../requirements.js';
import { fractionOf, type Strength, strengthAt } from '../strength.js';
import { hypernetworkExtension } from './hypernetwork.js';

/** Opens a hypernetwork as A1111 saves them. */
export async function openHypernetwork(file: AdapterFile, { model, families }: AttachContext): Promise<Adapter> {
  const { name } = file;
  const { path, pickled } = requireWeights(file);
  const extension = hypernetworkExtension(name, { file: path, saved: pickled, families });
  return {
    name,
    kind: 'hypernetwork',
    extensions: { [model.noisePredictorComponent]: extension },
    check: extension.check,
    use(settings = 1, option) {
      const strength = settings as Strength;
      strengthAt(option, strength, 0);
      return {
        condition: () => (call) => ({
          [`strength.${name}`]: tensor(
            'float32',
            [1],
            Float32Array.of(strengthAt(option, strength, fractionOf(call.progress))),
          ),
        }),
      };
    },
    settingsFor: ({ kind, unetWeight }) => (kind === 'hypernet' ? unetWeight : undefined),
  };
}
