import { type ModelParts, renameTensors, shapeMatching, type WeightsFile } from '@sd/weights';
import { singleFileParts } from '../model-parts.js';
import { originalMotionNames } from './names.js';

/** As every motion module of AnimateDiff's authors has it; no shape tells. */
const settings = { motion_num_attention_heads: 8, motion_norm_num_groups: 32 };

/**
 * A motion adapter from a file in either layout. Its config is the `config.json` in the same folder, or that of
 * AnimateDiff's own modules, for as many frames as the file has positions.
 */
export async function motionFile(file: WeightsFile): Promise<ModelParts> {
  const { path, tensors } = file;
  const isOriginal = shapeMatching(tensors, /\.temporal_transformer\./) !== undefined;
  const named = isOriginal ? renameTensors(path, tensors, originalMotionNames) : tensors;
  const frames = shapeMatching(tensors, /\.(pe|pos_embed\.pe)$/)?.[1];
  return singleFileParts(file, named, () => ({
    ...settings,
    ...(frames !== undefined && { motion_max_seq_length: frames }),
  }));
}
