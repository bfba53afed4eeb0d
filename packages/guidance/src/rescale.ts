import { InvalidOptionError } from '@sd/core';
import { type Guidance, guidanceOf } from './guidance.js';
import { composedFrom, remembering } from './outputs.js';

/**
 * Sets the spread of a guided output back to the positive's, by `phi` from 0 (not at all) to 1 (wholly): Common diffusion
 * noise schedules and sample steps are flawed, arXiv 2305.08891, eq. 15 and 16. Around any guidance; leaves alone what
 * has no spread, and what was made without asking for the positive.
 */
export function withRescale(guidance: Guidance, phi: number): Guidance {
  if (!(phi >= 0 && phi <= 1)) throw new InvalidOptionError('rescale', `must be from 0 to 1, not ${phi}.`);
  return guidanceOf({ ...guidance.settings, 'CFG Rescale phi': phi }, () => {
    const guide = guidance();
    return async (given) => {
      const { input, outputs } = remembering(given);
      const guided = await guide(input);
      const along = composedFrom(outputs, input);
      const spread = deviation(guided);
      if (along === undefined || spread === 0) return guided;
      const factor = phi * (deviation(along) / spread) + (1 - phi);
      return guided.map((value) => value * factor);
    };
  });
}

/** Standard deviation with Bessel's correction, as torch has it. */
function deviation(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
