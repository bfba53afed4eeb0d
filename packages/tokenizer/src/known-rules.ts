import { CheckpointError, UnsupportedError } from '@sd/core';
import { isRecord } from './values.js';

/** CLIP's words, as transformers writes the regular expressions; older files leave out the special tokens. */
export const clipWords =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/**
 * The regular expressions of CLIP's and T5's files, each linear in the text. Any other is refused: a pattern such as
 * `(a+)+$` takes twice as long with each letter of a prompt, and nothing can stop it.
 */
const knownPatterns = new Set([
  clipWords,
  clipWords.replace('<\\|startoftext\\|>|<\\|endoftext\\|>|', ''),
  '\\s+',
  ' {2,}',
]);

/** The steps that a tokenizer of CLIP or T5 may have in each of its parts. None makes a text much longer. */
const knownSteps: Readonly<Record<string, readonly string[]>> = {
  normalizer: ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'Strip', 'StripAccents', 'Replace', 'Prepend', 'Precompiled'],
  pre_tokenizer: ['Split', 'ByteLevel', 'Metaspace', 'WhitespaceSplit'],
  decoder: ['ByteLevel', 'Metaspace', 'Replace', 'Fuse', 'ByteFallback', 'Strip'],
};

const mostSteps = 8;

/** Longer than any token of CLIP or T5, and than what they put before or between words. */
const longestToken = 256;
const longestAffix = 16;

/** Limits of the texts that steps put in place of spaces, or before the whole text. */
const longestTexts = { prepend: longestAffix, replacement: 1, str_rep: 1 };

/**
 * Checks the rules of a parsed `tokenizer.json` before they are applied, and leaves out the post-processor, which only
 * adds special tokens. Throws an UnsupportedError that names a step or pattern that neither CLIP nor T5 has, and a
 * CheckpointError for broken ones.
 */
export function knownRules(json: Record<string, unknown>, file: string): Record<string, unknown> {
  for (const [part, known] of Object.entries(knownSteps)) {
    const steps = [...stepsOf(json[part] ?? null, file, part)];
    if (steps.length > mostSteps) throw unsupported(file, part, `${steps.length} steps`);
    for (const step of steps) checkStep(step, known, file, part);
  }
  return { ...json, post_processor: null };
}

/** The steps of a rule: those of a sequence, at any depth, or the rule itself. */
export function* stepsOf(rule: unknown, file: string, part: string, depth = 0): Generator<Record<string, unknown>> {
  if (rule === null) return;
  if (!isRecord(rule) || typeof rule.type !== 'string' || depth > mostSteps) {
    throw new CheckpointError('bad-config', file, `${part} is not an object with a type.`);
  }
  if (rule.type !== 'Sequence') return yield rule;
  const inner = rule.normalizers ?? rule.pretokenizers ?? rule.decoders;
  if (!Array.isArray(inner) || inner.length > mostSteps) {
    throw new CheckpointError('bad-config', file, `${part} must have a list of at most ${mostSteps} steps.`);
  }
  for (const step of inner) yield* stepsOf(step, file, part, depth + 1);
}

function checkStep(step: Record<string, unknown>, known: readonly string[], file: string, part: string): void {
  const type = step.type as string;
  if (!known.includes(type)) throw unsupported(file, part, `a step of type ${excerpt(type)}`);
  if (type === 'Replace' || type === 'Split') checkPattern(step, file, part);
  if (type === 'Strip' && part === 'decoder') checkStrip(step, file);
  for (const [key, limit] of Object.entries(longestTexts)) {
    const text = step[key] ?? '';
    if (typeof text !== 'string' || text.length > limit) throw unsupported(file, part, `${key} ${excerpt(text)}`);
  }
}

function checkPattern({ pattern, content = '' }: Record<string, unknown>, file: string, part: string): void {
  const regex = isRecord(pattern) ? pattern.Regex : undefined;
  const text = isRecord(pattern) ? pattern.String : undefined;
  if (typeof regex === 'string' && !knownPatterns.has(regex)) {
    throw unsupported(file, part, `the pattern ${excerpt(regex)}`);
  }
  const source = regex === undefined ? text : ' ';
  if (typeof source !== 'string' || source === '') {
    throw new CheckpointError('bad-config', file, `${part} has a step without a pattern.`);
  }
  // A chain of replacements that lengthen a text could double it again and again.
  if (typeof content !== 'string' || content.length > source.length) {
    throw unsupported(file, part, `the replacement of ${excerpt(source)} by ${excerpt(content)}, which is longer`);
  }
}

function checkStrip({ start = 0, stop = 0, content = ' ' }: Record<string, unknown>, file: string): void {
  const counts = [start, stop].every((count) => Number.isInteger(count) && (count as number) <= longestAffix);
  if (!counts || typeof content !== 'string')
    throw new CheckpointError('bad-config', file, 'decoder has a strip without a count.');
}

/** Throws a CheckpointError for tokens, or for what is added to words, of a length that no vocabulary has. */
export function checkLengths(tokens: Iterable<unknown>, model: Record<string, unknown>, file: string): void {
  for (const token of tokens) {
    if (typeof token !== 'string' || token.length <= longestToken) continue;
    throw new CheckpointError('bad-config', file, `has a token of ${token.length} characters: ${excerpt(token)}.`);
  }
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix', 'unk_token']) {
    const text = model[key] ?? '';
    const limit = key === 'unk_token' ? longestToken : longestAffix;
    if (typeof text === 'string' && text.length <= limit) continue;
    throw new CheckpointError('bad-config', file, `model.${key} is not a string of at most ${limit} characters.`);
  }
}

function unsupported(file: string, part: string, what: string): UnsupportedError {
  return new UnsupportedError(`${file}: ${part} has ${what}, which is in neither CLIP's nor T5's tokenizer.`);
}

function excerpt(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `a ${typeof value}`;
}
