import { CheckpointError, type Source, UnsupportedError } from '@sd/core';
import { schedulerClasses } from '@sd/scheduler';
import { readConfig } from '@sd/weights';
import type { Warning } from '../events.js';
import type { ModelFlags } from '../stage-facts.js';

const index = 'model_index.json';

/** The parts that a picture needs, and the classes of them that this version supports. */
const parts: Readonly<Record<string, readonly string[]>> = {
  tokenizer: ['CLIPTokenizer', 'CLIPTokenizerFast'],
  text_encoder: ['CLIPTextModel'],
  tokenizer_2: ['CLIPTokenizer', 'CLIPTokenizerFast'],
  text_encoder_2: ['CLIPTextModelWithProjection'],
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL', 'AutoencoderTiny'],
  scheduler: schedulerClasses,
};

/** A text encoder and its tokenizer, by their folders. */
export interface TextParts {
  readonly tokenizer: 'tokenizer' | 'tokenizer_2';
  readonly textEncoder: 'text_encoder' | 'text_encoder_2';
}

const [firstText, secondText]: readonly [TextParts, TextParts] = [
  { tokenizer: 'tokenizer', textEncoder: 'text_encoder' },
  { tokenizer: 'tokenizer_2', textEncoder: 'text_encoder_2' },
];

/** Parts that pictures can be made without. */
const skipped = ['safety_checker', 'feature_extractor', 'image_encoder'];

export interface ModelIndex {
  /** The scheduler's class: diffusers goes by this one, not by that of the scheduler's own config. */
  readonly schedulerClass: string | undefined;
  /** Its text encoders, one or two: SDXL's refiner has the second of the two of SDXL alone. */
  readonly texts: readonly TextParts[];
  readonly flags: ModelFlags;
  /** What is left out. */
  readonly warnings: readonly Warning[];
}

/**
 * Reads `model_index.json` and checks that this version can run what it lists. What it says of `replaced` parts, which
 * the caller has, does not matter. Throws a SourceError where it is missing, a CheckpointError for a part that is not
 * listed, and an UnsupportedError that names a class that is not known.
 */
export async function readModelIndex(source: Source, replaced: readonly string[] = []): Promise<ModelIndex> {
  const config = await readConfig(source, index);
  config.only('is_cosxl_edit', false);
  const warnings: Warning[] = [];
  const has = (part: string) => replaced.includes(part) || className(config.get(part)) !== undefined;
  const second = has(secondText.textEncoder);
  const texts = second ? (has(firstText.textEncoder) ? [firstText, secondText] : [secondText]) : [firstText];
  const needed = [
    'unet',
    'vae',
    'scheduler',
    ...texts.flatMap(({ tokenizer, textEncoder }) => [tokenizer, textEncoder]),
  ];
  for (const [part, classes] of Object.entries(parts)) {
    if (replaced.includes(part) || !needed.includes(part)) continue;
    const name = className(config.get(part));
    if (name === undefined) {
      throw new CheckpointError('bad-config', index, `lists no ${part}, which is needed.`);
    }
    if (!classes.includes(name)) {
      throw new UnsupportedError(`${index}: ${part} is a ${name}; this version supports ${classes.join(', ')}.`);
    }
  }
  for (const [part, value] of config.entries()) {
    if (needed.includes(part) || replaced.includes(part) || !(Array.isArray(value) || value === null)) continue;
    const name = className(value);
    // The refiner's index lists them so.
    if (name === undefined && second && (part === firstText.tokenizer || part === firstText.textEncoder)) continue;
    if (name !== undefined && !skipped.includes(part)) {
      throw new UnsupportedError(`${index}: ${part}, a ${name}, is a part that this version does not know.`);
    }
    warnings.push({
      code: 'part-skipped',
      message: name === undefined ? `${part} is empty in ${index}.` : `${part} (${name}) is not used.`,
    });
  }
  const flags = {
    zeroNegative: config.boolean('force_zeros_for_empty_prompt', true),
    aestheticScore: config.boolean('requires_aesthetics_score', false),
  };
  return { schedulerClass: className(config.get('scheduler')), texts, flags, warnings };
}

/** The class of an entry `[library, class]`; undefined for a missing entry or one of nulls. */
function className(entry: unknown): string | undefined {
  return Array.isArray(entry) && typeof entry[1] === 'string' ? entry[1] : undefined;
}
