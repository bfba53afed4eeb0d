import { InvalidOptionError } from '@sd/core';
import type { Condition } from '@sd/guidance';
import { checkWhole, describe } from './checks.js';
import { type MicroConditioning, microConditioning, type Size } from './families/sdxl/time-ids.js';
import type { StageFacts } from './stage-facts.js';

/** What SDXL is told of the picture that it shall draw, as it was told of those that it learned from; sizes in pixels. */
export interface MicroConditioningOptions {
  /** How large the picture was before it was scaled: small ones look scaled up. The run's size by default. */
  readonly originalSize?: Size;
  /** How much was cut off, from -infinity up: other values than 0 and 0, the default, move the subject out of the picture. */
  readonly cropTopLeft?: { readonly top: number; readonly left: number };
  /** What it was scaled to: the run's size by default. Not for the refiner. */
  readonly targetSize?: Size;
  /** How good it was judged to be: 6 by default, 2.5 for the negative prompt. For the refiner alone. */
  readonly aestheticScore?: number;
}

export interface MicroConditioningPair {
  /** What SDXL is told of the picture's sizes. */
  readonly microConditioning?: MicroConditioningOptions;
  /** The same for the negative prompt; what is left out is as in `microConditioning`. */
  readonly negativeMicroConditioning?: MicroConditioningOptions;
}

/** Checks both. Throws an InvalidOptionError, also for a model that is told nothing. */
export function checkMicroConditioning(options: MicroConditioningPair, { told }: Pick<StageFacts, 'told'>): void {
  for (const option of ['microConditioning', 'negativeMicroConditioning'] as const) {
    const given = options[option];
    if (given === undefined) continue;
    if (told === 'nothing') {
      throw new InvalidOptionError(option, 'is for SDXL; this model is not told of sizes.');
    }
    if (typeof given !== 'object' || given === null) {
      throw new InvalidOptionError(option, `must be an object, not ${describe(given)}.`);
    }
    const known = ['originalSize', 'cropTopLeft', told === 'sizes' ? 'targetSize' : 'aestheticScore'];
    for (const [name, value] of Object.entries(given)) {
      if (!known.includes(name)) {
        throw new InvalidOptionError(
          `${option}.${name}`,
          `is nothing that this model is told. There are ${known.join(', ')}.`,
        );
      }
      checkNumbers(`${option}.${name}`, name, value);
    }
  }
}

function checkNumbers(option: string, name: string, value: unknown): void {
  if (value === undefined) return;
  if (name === 'aestheticScore') {
    if (!Number.isFinite(value))
      throw new InvalidOptionError(option, `must be a finite number, not ${describe(value)}.`);
    return;
  }
  const [parts, least] = name === 'cropTopLeft' ? [['top', 'left'], Number.MIN_SAFE_INTEGER] : [['width', 'height'], 1];
  for (const part of parts) {
    checkWhole(`${option}.${part}`, (value as Record<string, unknown> | null)?.[part], least);
  }
}

/** What the U-Net is told in a pass that draws pictures of this size: diffusers' defaults, and its rules for the negative. */
export function toldCondition(
  { microConditioning: positive = {}, negativeMicroConditioning: negative = {} }: MicroConditioningPair,
  told: 'sizes' | 'score',
  size: Size,
): Condition {
  const none = { top: 0, left: 0 };
  const filledIn = (given: MicroConditioningOptions, rest: MicroConditioning): MicroConditioning => ({
    originalSize: given.originalSize ?? rest.originalSize,
    cropTopLeft: given.cropTopLeft ?? rest.cropTopLeft,
    targetSize: given.targetSize ?? rest.targetSize,
  });
  const own = filledIn(positive, { originalSize: size, cropTopLeft: none, targetSize: size });
  const its = filledIn(negative, told === 'score' ? { ...own, cropTopLeft: none } : own);
  if (told === 'sizes') return microConditioning({ positive: own, negative: its });
  const scored = (one: MicroConditioning, score: number) => ({ ...one, aestheticScore: score });
  return microConditioning({
    positive: scored(own, positive.aestheticScore ?? 6),
    negative: scored(its, negative.aestheticScore ?? 2.5),
  });
}
