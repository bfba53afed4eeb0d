import { type ModelParts, renameTensors, type WeightsFile } from '@sd/weights';
import { singleFileParts } from '../model-parts.js';
import { t2iAdapterConfigFromShapes } from './config-from-shapes.js';
import { originalNames } from './names.js';

/**
 * A T2I-Adapter from a file, by diffusers' names or the original ones. Its config is the `config.json` in the same folder,
 * or follows from its shapes. Throws a CheckpointError for a file without one.
 */
export async function t2iAdapterFile(file: WeightsFile): Promise<ModelParts> {
  const named = renameTensors(file.path, file.tensors, originalNames(file.tensors.keys()));
  return singleFileParts(file, named, () => t2iAdapterConfigFromShapes(file.path, named));
}
