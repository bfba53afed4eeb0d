import type { TextEmbedding, Warning } from '@sd/core';
import type { WeightedText } from '@sd/guidance';
import type { EncodedText } from '@sd/tokenizer/embedding';
import { blendEmbeddings } from './blend.js';
import { type ContextLength, type ContextWord, contextWords } from './context-words.js';
import { zerosLike } from './embeddings.js';
import type { ParsedPrompts } from './parse-prompts.js';
import { isPlain } from './plain-text.js';
import type { PromptRequest } from './prompt-request.js';
import type { Context } from './prompt-schedule.js';
import { type ReadTexts, type ReadTextsWith, readPlainTexts, readWeightedTexts } from './read-texts.js';
import type { TextStack } from './text-stack.js';

/** The embeddings of a run's prompts at a step of a pass, both counted from 0. */
export interface Texts {
  positive(pass: number, step: number): readonly WeightedText[];
  negative(pass: number, step: number): TextEmbedding;
  /** The words of the positive prompts, by their embeddings. Rejects with an UnsupportedError where the tokenizer gives none. */
  words(): Promise<ReadonlyMap<TextEmbedding, readonly ContextWord[]>>;
}

/**
 * Encodes a run's prompts with all text encoders of the model. Adds to `warnings` what was cut off, ignored or not found.
 *
 * Rejects as the text encoders do, with an InvalidOptionError for a tokenizer that does not support the syntax, and with a
 * TensorError if prompt weights lead to values that are not finite.
 */
export async function encodePrompts(prompts: ParsedPrompts, stack: TextStack, warnings: Warning[]): Promise<Texts> {
  const { request, positive } = prompts;
  const isZero = stack.zeroNegative && request.negative === undefined;
  const negative = isZero ? undefined : prompts.negative;
  const { embeddings, lengths } = await embedContexts(
    positive.contexts,
    negative?.contexts ?? [],
    request,
    stack,
    warnings,
  );
  const embeddingOf = (context: Context) => embeddings.get(context)!;
  const [first] = positive.contexts.map(embeddingOf);
  // Conditions recognise the negative prompt by identity, so its object must differ from the prompt's.
  const unused = isZero ? zerosLike(first) : { ...first };
  return {
    positive: (pass, step) =>
      positive.at(pass, step).map(({ context, weight }) => ({ embedding: embeddingOf(context), weight })),
    negative: (pass, step) => (negative === undefined ? unused : embeddingOf(negative.at(pass, step)[0].context)),
    async words() {
      const words = await contextWords(lengths, stack, request.syntax);
      return new Map(positive.contexts.map((context) => [embeddingOf(context), words.get(context) ?? []]));
    },
  };
}

interface EmbeddedContexts {
  readonly embeddings: ReadonlyMap<Context, TextEmbedding>;
  /** Of all contexts that were encoded, those to blend with included. */
  readonly lengths: readonly ContextLength[];
}

/** Encodes all contexts, brings them to the same length, and blends them. */
async function embedContexts(
  positive: readonly Context[],
  negative: readonly Context[],
  request: PromptRequest,
  stack: TextStack,
  warnings: Warning[],
): Promise<EmbeddedContexts> {
  const { syntax, clipSkip, blend } = request;
  const contexts = [...withBlends(positive), ...withBlends(negative)];
  const canReadPlain = contexts.every(({ texts }) => texts.every((text) => isPlain(text, syntax)));
  const hasWords = stack.encoders.some(({ words }) => words !== undefined);
  const read = canReadPlain && !hasWords ? readPlainTexts : readWeightedTexts;
  const encode = (batch: readonly Context[], skip: number) =>
    encodeContexts(batch, { ...request, clipSkip: skip }, stack, read, warnings);

  const encodesSeparately = clipSkip > 0 && !stack.clipSkipForNegative && negative.length > 0;
  const encoded = encodesSeparately
    ? [...(await encode(withBlends(positive), clipSkip)), ...(await encode(withBlends(negative), 0))]
    : await encode(contexts, clipSkip);

  const aligned = new Map(syntax.align(encoded).map((embedding, i) => [contexts[i], embedding]));
  const embeddings = new Map(
    [...positive, ...negative].map((context) => {
      const embedding = aligned.get(context)!;
      const other = context.blendWith && aligned.get(context.blendWith);
      return [context, other && blend ? blendEmbeddings(embedding, other, blend.amount) : embedding];
    }),
  );
  const lengths = encoded.map(({ embedding, empty }, i) => ({
    context: contexts[i],
    tokens: embedding.hidden.dims[0],
    empty: empty?.hidden.dims[0],
  }));
  return { embeddings, lengths };
}

function withBlends(contexts: readonly Context[]): Context[] {
  return contexts.flatMap((context) => (context.blendWith === undefined ? [context] : [context, context.blendWith]));
}

/** Encodes contexts with each text encoder in turn, and combines the outputs. */
async function encodeContexts(
  contexts: readonly Context[],
  request: PromptRequest,
  stack: TextStack,
  read: ReadTextsWith,
  warnings: Warning[],
): Promise<EncodedText[]> {
  const outputs: ReadTexts[] = [];
  for (const [index, encoder] of stack.encoders.entries()) {
    const texts = contexts.map(({ option, texts }) => ({ option, text: texts[index] ?? texts[0] }));
    const { syntax, clipSkip, signal } = request;
    const output = await read(encoder, texts, { syntax, clipSkip: encoder.ignoresWeights ? 0 : clipSkip, signal });
    for (const warning of output.warnings) addOnce(warnings, warning);
    outputs.push(output);
  }
  const empties = outputs.flatMap(({ empty }) => empty ?? []);
  const canPad = empties.length === outputs.length;
  const empty = canPad ? stack.combine(empties.map((embedding) => ({ embedding, empty: embedding }))) : undefined;
  return contexts.map((_, i) => ({
    embedding: stack.combine(outputs.map((output) => ({ embedding: output.embeddings[i], empty: output.empty }))),
    empty,
  }));
}

/** Encoders that read the same text give the same warning. */
function addOnce(warnings: Warning[], warning: Warning): void {
  if (!warnings.some(({ message }) => message === warning.message)) warnings.push(warning);
}
