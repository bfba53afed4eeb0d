import { InvalidOptionError, show } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { composedFrom, recordOutputs } from './outputs.js';

/**
 * Rescales the output of any guidance to the standard deviation of the positive output, by a fraction `phi` (Common
 * diffusion noise schedules and sample steps are flawed, arXiv 2305.08891, eq. 15 and 16). Outputs that are constant, or
 * were made without the positive prompt, are unchanged.
 */
export function withRescale(guidance: Guidance, phi: number): Guidance {
  if (!(phi >= 0 && phi <= 1)) throw new InvalidOptionError('rescale', `must be from 0 to 1, not ${show(phi)}.`);
  return guidanceOf({ ...guidance.settings, 'CFG Rescale phi': phi }, () => {
    const guide = guidance();
    return async (unrecorded) => {
      const { input, outputs } = recordOutputs(unrecorded);
      const guided = await guide(input);
      const positive = composedFrom(outputs, input);
      const guidedDeviation = deviation(guided);
      if (positive === undefined || guidedDeviation === 0) return guided;
      const factor = phi * (deviation(positive) / guidedDeviation) + (1 - phi);
      return guided.map((value) => value * factor);
    };
  });
}

/** Standard deviation with Bessel's correction, like torch's `std`. */
function deviation(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
