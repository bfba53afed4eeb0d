import { InvalidOptionError } from '@sd/core';
import { checkOptional, checkOptions, checkText, checkWhole, describe, type OptionTable } from '@sd/core/options';

/** Which attention is averaged into the maps, and of which words. */
export interface AttentionMapOptions {
  /** Steps, by the index that step events have; all by default. */
  readonly steps?: readonly number[] | undefined;
  /** Layers or blocks of the U-Net by diffusers' names, such as `mid_block` or `up_blocks.1`; all by default. */
  readonly layers?: readonly string[] | undefined;
  /** Words of the prompt, in any case; all by default. */
  readonly words?: readonly string[] | undefined;
}

/** A check of a list that is not empty. */
const listOf = (check: (option: string, item: unknown) => void) => (option: string, value: unknown) => {
  if (!Array.isArray(value) || value.length === 0) {
    throw new InvalidOptionError(option, `must be a list that is not empty, not ${describe(value)}.`);
  }
  value.forEach((item, i) => {
    check(`${option}[${i}]`, item);
  });
};

export const attentionMapTable: OptionTable<AttentionMapOptions> = {
  steps: {
    type: 'number[]',
    default: 'all',
    text: 'Steps to average over, by the index that step events have.',
    check: listOf((option, item) => checkWhole(option, item, 0)),
  },
  layers: {
    type: 'string[]',
    default: 'all',
    text: "Layers or blocks of the U-Net, by diffusers' names: `mid_block`, `up_blocks.1`.",
    check: listOf(checkText),
  },
  words: {
    type: 'string[]',
    default: 'all',
    text: 'Words of the prompt, in any case.',
    check: listOf(checkText),
  },
};

export const attentionMapsRow = {
  type: 'boolean | { steps, layers, words }',
  default: 'false',
  text: 'Whether the result has a map for each word of the prompt: where the model looked at it.',
  check(option: string, value: unknown) {
    if (typeof value === 'object' && value !== null) {
      checkOptions(value, attentionMapTable, { of: option, prefix: `${option}.` });
    } else checkOptional(option, value, typeof value === 'boolean', 'true, false or { steps, layers, words }');
  },
};
