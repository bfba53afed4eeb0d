import { CheckpointError, UnsupportedError } from '@sd/core';
import type { FileNotes, Json, SplitFile } from '../family.js';
import { unetTraits } from '../unet.js';

const [largest, smallest] = ['edm_vpred.sigma_max', 'edm_vpred.sigma_min'];
const [mean, deviation] = ['edm_mean', 'edm_std'];

/** Tensors that identify models with EDM's preconditioning: CosXL's sigmas, and the statistics of Playground's latents. */
export const edmMarkers: readonly string[] = [largest, smallest, mean, deviation];

/**
 * The scheduler of a file that is marked as trained with EDM's preconditioning (arXiv 2206.00364); undefined for others, and
 * where the caller's option says that it predicts epsilon.
 * @see the scheduler configs of cosxl and playground-v2.5-1024px-aesthetic
 */
export function edmScheduler({ has, markers, prediction, split }: FileNotes): Json | undefined {
  if (prediction !== undefined && prediction !== 'v') return undefined;
  if (has(largest)) {
    if (unetTraits(split)?.inChannels === 8) {
      // It takes the image to edit at another scale than other InstructPix2Pix models.
      throw new UnsupportedError(`${split.path} is CosXL Edit, which is not supported.`);
    }
    return {
      _class_name: 'EDMEulerScheduler',
      sigma_max: markerOf(markers, largest, split),
      sigma_min: has(smallest) ? markerOf(markers, smallest, split) : 0.002,
      sigma_data: 1,
      sigma_schedule: 'exponential',
      prediction_type: 'v_prediction',
    };
  }
  if (!has(mean) || !has(deviation)) return undefined;
  return {
    _class_name: 'EDMDPMSolverMultistepScheduler',
    sigma_max: 80,
    sigma_min: 0.002,
    sigma_data: 0.5,
    sigma_schedule: 'karras',
    prediction_type: 'epsilon',
  };
}

/** The statistics of Playground's latents, by which its VAE scales them to a deviation of one half. */
export function edmLatents({ has, markers }: FileNotes): Json {
  if (!has(mean) || !has(deviation)) return {};
  return { latents_mean: markers.get(mean), latents_std: markers.get(deviation), scaling_factor: 0.5 };
}

function markerOf(markers: FileNotes['markers'], name: string, { path }: SplitFile): number {
  const [value, ...more] = markers.get(name) ?? [];
  if (value > 0 && more.length === 0 && Number.isFinite(value)) return value;
  throw new CheckpointError('bad-checkpoint', path, `the tensor ${name} must be one number above 0.`, { tensor: name });
}
