import { originalMotionNames } from '@sd/adapters';
import { type ModelParts, openWeights, renameTensors } from '@sd/weights';
import { adapterParts, type FilePlace } from './adapter-file.js';

/** What every motion module of AnimateDiff's authors has. */
const known = { motion_num_attention_heads: 8, motion_norm_num_groups: 32 };

/**
 * A motion adapter from a file in either layout. Its config is the `config.json` beside it, or that of AnimateDiff's own,
 * for as many frames as it has positions.
 */
export async function openMotionFile(file: FilePlace): Promise<ModelParts> {
  const { source, path } = file;
  const { tensors } = await openWeights(source, path);
  const names = [...tensors.keys()];
  const positions = names.find((name) => /\.(pe|pos_embed\.pe)$/.test(name));
  const frames = positions === undefined ? undefined : tensors.get(positions)?.shape[1];
  const original = names.some((name) => name.includes('.temporal_transformer.'));
  const named = original ? renameTensors(path, tensors, originalMotionNames) : tensors;
  return adapterParts(file, named, () => ({
    ...known,
    ...(frames !== undefined && { motion_max_seq_length: frames }),
  }));
}
