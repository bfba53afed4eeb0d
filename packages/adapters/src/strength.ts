import { InvalidOptionError } from '@sd/core';
import { describe } from '@sd/core/options';
import type { Progress } from '@sd/guidance';

/**
 * How strongly an adapter acts: a number, or a function of how far a pass is, from 0 at its first step to 1 at its last. A
 * run has one pass, or a second one with `upscale`.
 */
export type Strength = number | ((fraction: number) => number);

/** The strength at a point of a pass. Throws an InvalidOptionError unless it is a finite number. */
export function strengthAt(option: string, strength: Strength, fraction: number): number {
  const value = typeof strength === 'function' ? strength(fraction) : strength;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const given = typeof strength === 'function' ? `${describe(value)} at ${fraction}` : describe(value);
  throw new InvalidOptionError(option, `must be a finite number, or a function that gives one, not ${given}.`);
}

/** How far a pass is: 0 at its first step, 1 at its last. */
export function fractionOf({ step, steps }: Progress): number {
  return steps > 1 ? step / (steps - 1) : 0;
}

/**
 * Whether an adapter that acts from `start` to `end`, fractions of the calls of the model, acts at this call: as diffusers'
 * `controlnet_keep`, for samplers that call the model twice a step too.
 */
export function actsAt({ call, calls }: Progress, start: number, end: number): boolean {
  return call / calls >= start && (call + 1) / calls <= end;
}
