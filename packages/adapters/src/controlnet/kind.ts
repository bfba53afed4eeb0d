import { lazyImport } from '@sd/core';
import { shapeMatching } from '@sd/weights';
import type { AdapterKind } from '../adapter.js';
import { familyOfContext } from '../family.js';
import { differenceMark } from './difference.js';

/** Copies of a U-Net's half that hold a drawing to an image: edges, depth, a pose (arXiv 2302.05543). */
export const controlNet: AdapterKind = {
  name: 'controlnet',
  usage: 'attach() adds it to a loaded model, to be led by an image.',
  folder: { classes: ['ControlNetModel'] },
  detect({ tensors }, families) {
    const original = shapeMatching(tensors, /^(control_model\.)?zero_convs\.0\.0\.weight$/) !== undefined;
    if (!original && !tensors.has('controlnet_cond_embedding.conv_in.weight')) return undefined;
    const image = shapeMatching(tensors, /(input_hint_block\.0|controlnet_cond_embedding\.conv_in)\.weight$/);
    return {
      family: familyOfContext(families, shapeMatching(tensors, /\.attn2\.to_k\.weight$/)?.[1])?.id,
      layout: original ? 'original' : 'diffusers',
      details: { channels: image?.[1], difference: tensors.has(differenceMark) || undefined },
    };
  },
  detectOnnx: ({ inputs }) => inputs.some(({ name }) => name === 'controlnet_cond'),
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openControlNetAdapter(file, context),
};
