import {
  Checkpoint,
  Config,
  hasFile,
  type ModelParts,
  openWeights,
  partFiles,
  readConfig,
  renameTensors,
} from '@sd/graph';
import { originalMotionNames } from '@sd/unet/adapters';
import type { Located } from '../locate.js';

/** What every motion module of AnimateDiff's authors has. */
const known = { motion_num_attention_heads: 8, motion_norm_num_groups: 32 };

/**
 * A motion adapter from a file in either layout. Its config is the `config.json` beside it, or that of AnimateDiff's own,
 * for as many frames as it has positions.
 */
export async function openMotionFile({ source, path }: Pick<Located, 'source' | 'path'>): Promise<ModelParts> {
  const { tensors } = await openWeights(source, path);
  const names = [...tensors.keys()];
  const positions = names.find((name) => /\.(pe|pos_embed\.pe)$/.test(name));
  const frames = positions === undefined ? undefined : tensors.get(positions)?.shape[1];
  const original = names.some((name) => name.includes('.temporal_transformer.'));
  const named = original ? renameTensors(path, tensors, originalMotionNames) : tensors;
  const beside = path.replace(/[^/]*$/, 'config.json');
  const config = (await hasFile(source, beside))
    ? await readConfig(source, beside)
    : new Config(path, { ...known, ...(frames !== undefined && { motion_max_seq_length: frames }) });
  return { config, checkpoint: new Checkpoint(path, partFiles(source, path, named)) };
}
