import { lazyImport } from '@sd/core';
import { countMatching, shapeMatching } from '@sd/weights';
import type { AdapterKind } from '../adapter.js';

/** Layers in which the frames of a clip see each other: AnimateDiff (arXiv 2307.04725). */
export const motion: AdapterKind = {
  name: 'motion-adapter',
  usage: 'attach() adds it to a loaded model, which then makes clips.',
  distils: true,
  folder: { classes: ['MotionAdapter'] },
  detect({ tensors }, families) {
    const has = (name: RegExp) => shapeMatching(tensors, name) !== undefined;
    if (!has(/(^|\.)motion_modules\.\d+\./)) return undefined;
    // A U-Net with motion modules.
    if (has(/(^|\.)conv_in\.weight$/)) return undefined;
    const levels = countMatching(tensors, /(?:^|\.)down_blocks\.(\d+)\./);
    const firstWidth = shapeMatching(tensors, /(^|\.)down_blocks\.0\.motion_modules\.0\..*proj_in\.weight$/)?.[0];
    const family = levels === 3 ? 'sdxl' : 'sd1';
    return {
      family: firstWidth === 320 ? families.find(({ id }) => id === family)?.id : undefined,
      layout: has(/temporal_transformer\./) ? 'original' : 'diffusers',
      details: {
        frames: shapeMatching(tensors, /(pos_encoder|pos_embed)\.pe$/)?.[1],
        modules: countMatching(tensors, /^(.*motion_modules\.\d+)\./),
        middle: has(/(^|\.)mid_block\./),
      },
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openMotionAdapter(file, context),
};
