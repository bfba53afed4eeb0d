import { CheckpointError, type Source, UnsupportedError } from '@sd/core';
import { readConfig } from '@sd/graph';
import type { Warning } from '../events.js';

const index = 'model_index.json';

/** The parts that a picture needs, and the classes of them that this version knows. */
const parts: Readonly<Record<string, readonly string[] | undefined>> = {
  tokenizer: ['CLIPTokenizer', 'CLIPTokenizerFast'],
  text_encoder: ['CLIPTextModel'],
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL'],
  scheduler: undefined,
};

/** Parts that pictures can be made without. */
const skipped = ['safety_checker', 'feature_extractor', 'image_encoder'];

/**
 * Reads `model_index.json` and checks that this version can run what it lists; gives warnings for what is left out.
 * Throws a SourceError where it is missing, a CheckpointError for a part that is not listed, and an UnsupportedError
 * that names a class that is not known.
 */
export async function readModelIndex(source: Source): Promise<Warning[]> {
  const config = await readConfig(source, index);
  const warnings: Warning[] = [];
  for (const [part, classes] of Object.entries(parts)) {
    const name = className(config.get(part));
    if (name === undefined) {
      throw new CheckpointError('bad-config', index, `lists no ${part}, which is needed.`);
    }
    if (classes !== undefined && !classes.includes(name)) {
      throw new UnsupportedError(`${index}: ${part} is a ${name}; this version knows ${classes.join(' and ')}.`);
    }
  }
  for (const [part, value] of config.entries()) {
    if (part in parts || !Array.isArray(value)) continue;
    const name = className(value);
    if (name !== undefined && !skipped.includes(part)) {
      throw new UnsupportedError(`${index}: ${part}, a ${name}, is a part that this version does not know.`);
    }
    warnings.push({
      code: 'part-skipped',
      message: name === undefined ? `${part} is empty in ${index}.` : `${part} (${name}) is not used.`,
    });
  }
  return warnings;
}

/** The class of an entry `[library, class]`; undefined for a missing entry or one of nulls. */
function className(entry: unknown): string | undefined {
  return Array.isArray(entry) && typeof entry[1] === 'string' ? entry[1] : undefined;
}
