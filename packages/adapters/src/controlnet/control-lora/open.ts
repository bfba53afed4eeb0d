import { CheckpointError } from '@sd/core';
import type { TensorLookup } from '@sd/graph';
import type { UnetConfig } from '@sd/unet';
import { Checkpoint, type WeightsFile } from '@sd/weights';
import type { Adapter, AdapterFile, AttachContext } from '../../adapter.js';
import { familyOfContext } from '../../family.js';
import { requireBackend, requireUnet, requireUnetCheckpoint, requireWeights } from '../../requirements.js';
import { controlNetAdapter } from '../adapter.js';
import { imageShape } from '../config-from-shapes.js';
import { controlNetOf } from '../controlnet.js';
import { lowRankChanges } from './low-rank-changes.js';
import { controlLoraTensors } from './names.js';

/**
 * Opens a Control-LoRA: a ControlNet over the U-Net's own weights, which stay where they are, with the changes that the file
 * holds. LoRAs attached to the U-Net do not act on it. Rejects with a CheckpointError for a file that is for another U-Net.
 */
export async function openControlLora(file: AdapterFile, context: AttachContext): Promise<Adapter> {
  const backend = requireBackend(context, 'a Control-LoRA');
  const unet = requireUnet(context);
  const checkpoint = requireUnetCheckpoint(context);
  const weights = requireWeights(file);
  const tensors = controlLoraTensors(weights);
  expectContextWidth(weights.path, tensors, unet, context);
  const { channels, levels } = imageShape(weights.path, tensors);
  const changes = new Checkpoint(weights.path, tensors);
  await backend.ready?.();
  const net = controlNetOf({
    backend,
    tensors: replacedTensors(changes, checkpoint),
    config: {
      // ControlNets do not take the guidance scale, as distilled U-Nets do.
      unet: { ...unet, guidanceWidth: undefined },
      imageChannels: channels,
      imageLevels: levels,
      bgr: false,
      pooled: false,
    },
    extensions: [lowRankChanges(changes)],
  });
  const takesFamilyCondition = unet.added !== undefined;
  return controlNetAdapter(
    { kind: 'control-lora', net, takesFamilyCondition, unusedNames: changes.unused() },
    file,
    context,
  );
}

/** The U-Net's tensors, apart from those that the file has whole: biases, norms, and what a U-Net does not have. */
function replacedTensors(changes: Checkpoint, unet: Checkpoint): TensorLookup {
  return {
    has: (name) => changes.has(name) || unet.has(name),
    tensor: (name, shape) => (changes.has(name) || !unet.has(name) ? changes : unet).tensor(name, shape),
  };
}

function expectContextWidth(
  path: string,
  tensors: WeightsFile['tensors'],
  { levels }: UnetConfig,
  { families }: AttachContext,
): void {
  const view = [...tensors].find(([name]) => name.endsWith('.attn2.to_k.down'))?.[1];
  const width = view?.shape[1];
  if (view === undefined || width === levels[0].contextWidth) return;
  const family = familyOfContext(families, width)?.title ?? 'another model';
  throw new CheckpointError(
    'misshapen-tensor',
    path,
    `is a Control-LoRA for a U-Net with text of width ${width}, but this one has ${levels[0].contextWidth}. It was made for ${family}; its first tensor that does not fit is ${view.name}.`,
    { tensor: view.name },
  );
}
