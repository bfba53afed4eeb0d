import { CheckpointError } from '@sd/core';
import { originalControlNetNames, type UnetConfig } from '@sd/unet';
import { type ModelParts, renameTensors, type WeightsFile } from '@sd/weights';
import type { AttachContext } from '../adapter.js';
import { singleFileParts } from '../model-parts.js';
import { requireUnet, requireUnetCheckpoint } from '../requirements.js';
import { controlNetConfigFromShapes } from './config-from-shapes.js';
import { differenceMark, withUnet } from './difference.js';

const prefix = 'control_model.';

type Tensors = WeightsFile['tensors'];

/**
 * A ControlNet from a file in either layout, alone or as a part of a whole model. Its config is the `config.json` in the
 * same folder, or follows from its shapes and, where these are ambiguous, from its U-Net, whose weights are added
 * to a ControlNet of differences. Throws a CheckpointError for a file without a ControlNet.
 */
export async function controlNetFile(file: WeightsFile, context: AttachContext): Promise<ModelParts> {
  const { path, tensors } = file;
  const stored = controlNetTensors(path, tensors);
  const complete = tensors.has(differenceMark) ? withUnet(stored, requireUnetCheckpoint(context)) : stored;
  const settings = settingsOf(requireUnet(context));
  return singleFileParts(file, complete, () => controlNetConfigFromShapes(path, complete, settings));
}

function controlNetTensors(path: string, tensors: Tensors): Tensors {
  if (tensors.has('controlnet_cond_embedding.conv_in.weight')) return tensors;
  const prefixed = [...tensors].filter(([name]) => name.startsWith(prefix));
  const members = new Map(
    prefixed.length === 0 ? tensors : prefixed.map(([name, view]) => [name.slice(prefix.length), view]),
  );
  if (members.has('zero_convs.0.0.weight')) {
    return renameTensors(path, members, originalControlNetNames(members.keys()));
  }
  const [first = 'none'] = tensors.keys();
  throw new CheckpointError('bad-checkpoint', path, `has no ControlNet: its first tensor is ${first}.`);
}

/** What no shape tells, as the U-Net has it. */
function settingsOf({ levels, mid, groups, epsilon, cosineFirst, frequencyShift, added }: UnetConfig) {
  const heads = mid?.heads ?? 1;
  return {
    norm_num_groups: groups,
    norm_eps: epsilon,
    flip_sin_to_cos: cosineFirst,
    freq_shift: frequencyShift,
    attention_head_dim: levels.map(({ downHeads, upHeads }) =>
      downHeads > 0 ? downHeads : upHeads > 0 ? upHeads : heads,
    ),
    ...(added && { addition_time_embed_dim: added.timeWidth }),
  };
}
