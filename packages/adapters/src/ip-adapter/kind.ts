import { lazyImport } from '@sd/core';
import { countMatching, shapeMatching } from '@sd/weights';
import type { AdapterKind } from '../adapter.js';
import { familyOfContext } from '../family.js';

/** Attention to images next to that to the text (arXiv 2308.06721). */
export const ipAdapter: AdapterKind = {
  name: 'ip-adapter',
  usage: 'attach() adds it to a loaded model, to be prompted with images.',
  detect({ tensors }, families) {
    const keys = shapeMatching(tensors, /^ip_adapter\.\d+\.to_k_ip\.weight$/);
    if (keys === undefined) return undefined;
    const plain = shapeMatching(tensors, /^image_proj\.proj\.weight$/);
    const queries = shapeMatching(tensors, /^image_proj\.latents$/);
    const isFaceId =
      shapeMatching(tensors, /^ip_adapter\.\d+\.to_[qkv]_lora\./) !== undefined ||
      (tensors.has('image_proj.proj.0.weight') && !tensors.has('image_proj.proj.3.weight'));
    const variant = isFaceId ? 'FaceID' : queries !== undefined ? 'Plus' : plain !== undefined ? 'plain' : 'Full';
    return {
      family: familyOfContext(families, keys[1])?.id,
      layout: 'original',
      details: {
        variant,
        layers: countMatching(tensors, /^ip_adapter\.(\d+)\.to_k_ip\.weight$/),
        tokens: queries?.[1] ?? (plain && plain[0] / keys[1]),
        imageWidth: plain?.[1] ?? shapeMatching(tensors, /^image_proj\.proj_in\.weight$/)?.[1],
      },
      ...(isFaceId && { usage: 'FaceID adapters need a face recogniser, which this version does not have.' }),
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openIpAdapter(file, context),
};
