import type { Unet } from '@sd/core';
import type { Adapter, PictureReader } from './adapter.js';

/** The ControlNets that an exported U-Net has in its own graph, by the names `controlnet`, or `controlnet-0`, `controlnet-1`. */
export function fusedControlNets(unet: Unet & { readonly controlNets?: number }): Adapter[] {
  const { controlNets: count = 0 } = unet;
  return Array.from({ length: count }, (_, index) => ({
    name: count === 1 ? 'controlnet' : `controlnet-${index}`,
    kind: 'controlnet',
    fused: true,
    pictures: pictureReader(index, count),
  }));
}

function pictureReader(index: number, count: number): PictureReader {
  return {
    read:
      ([picture]) =>
      async ({ width, height }) => {
        const { fitImage, unitTensor } = await import('@sd/image');
        const { fusedControlNetCondition } = await import('@sd/adapters');
        const image = unitTensor(fitImage(picture!, { width, height, fit: 'stretch' }));
        return ({ strength }) => fusedControlNetCondition({ index, count, image, strength });
      },
  };
}
