import { lazyImport } from '@sd/core';
import { shapeMatching } from '@sd/weights';
import type { AdapterKind } from '../../adapter.js';
import { familyOfContext } from '../../family.js';

/** ControlNets given as a change of low rank to the U-Net that they go with: Stability AI's Control-LoRA. */
export const controlLora: AdapterKind = {
  name: 'control-lora',
  usage: 'A Control-LoRA: attach() adds it to a loaded model, to be led by an image.',
  detect({ tensors }, families) {
    if (!tensors.has('lora_controlnet')) return undefined;
    return {
      family: familyOfContext(families, shapeMatching(tensors, /\.attn2\.to_k\.down$/)?.[1])?.id,
      layout: 'original',
      details: {
        channels: shapeMatching(tensors, /^input_hint_block\.0\.weight$/)?.[1],
        // Small layers, such as the first convolution, have a smaller one.
        rank: shapeMatching(tensors, /\.attn2\.to_k\.down$/)?.[0],
      },
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openControlLora(file, context),
};
