import type { NameTable } from '@sd/weights';
import { motionModuleName } from '../motion-names.js';

/**
 * From the names of AnimateDiff's own motion modules to diffusers'. Each attention has a copy of the same positions: the
 * first is kept.
 */
export const originalMotionNames: NameTable = (name) =>
  !name.includes('motion_modules.') || /\.attention_blocks\.[1-9]\d*\.pos_encoder\./.test(name)
    ? undefined
    : motionModuleName(name);
