import { lazyImport } from '@sd/core';
import { shapeMatching } from '@sd/weights';
import type { AdapterKind } from '../adapter.js';

/** The families by the inputs of the first convolution: squares of 8 x 8 pixels, or 16 x 16 for SDXL, of 1 or 3 channels. */
const familyByInputs: Readonly<Record<number, string>> = { 64: 'sd1', 192: 'sd1', 256: 'sdxl', 768: 'sdxl' };

/** Small networks that hold a drawing to an image, read once per run (arXiv 2302.08453). */
export const t2iAdapter: AdapterKind = {
  name: 't2i-adapter',
  usage: 'attach() adds it to a loaded model, to be led by an image.',
  folder: { classes: ['T2IAdapter'] },
  detect({ tensors }, families) {
    if (shapeMatching(tensors, /(^|\.)body\.\d+\.(resnets\.\d+\.)?block1\.weight$/) === undefined) return undefined;
    const inputs = shapeMatching(tensors, /(^|\.)conv_in\.weight$/)?.[1];
    const isDiffusers = shapeMatching(tensors, /\.resnets\.\d+\.block1\./) !== undefined;
    return {
      family: families.find(({ id }) => id === familyByInputs[inputs ?? 0])?.id,
      layout: isDiffusers ? 'diffusers' : 'original',
      details: { inputs },
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openT2iAdapter(file, context),
};
