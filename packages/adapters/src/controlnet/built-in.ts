import { lazyImport, type NoisePredictor, type ResidualInputs } from '@sd/core';
import type { Adapter } from '../adapter.js';

/** The ControlNets in the graph of an exported U-Net, by the names `controlnet`, or `controlnet-0`, `controlnet-1`. */
export function builtInControlNets({ controlNets: count = 0 }: NoisePredictor & Partial<ResidualInputs>): Adapter[] {
  return Array.from({ length: count }, (_, index) => {
    const name = count === 1 ? 'controlnet' : `controlnet-${index}`;
    return {
      name,
      kind: 'controlnet',
      extensions: {},
      builtIn: true,
      use: async (settings, option) =>
        (await lazyImport(() => import('./use-built-in.js'))).useBuiltInControlNet(
          { name, index, count },
          settings,
          option,
        ),
    };
  });
}
