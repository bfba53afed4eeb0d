import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { CheckpointError, messageOf } from '@sd/core';

/** The library over a checked `tokenizer.json`. Throws a CheckpointError that names the file for what it cannot use. */
export function startLibrary(json: object, config: object, file: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(json, config);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new CheckpointError('bad-config', file, `cannot be used as a tokenizer: ${reason}`, { cause });
  }
}
