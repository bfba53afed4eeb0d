import {
  InvalidOptionError,
  type TextEmbedding,
  type TextEncoder,
  type TextEncoderOptions,
  type Tokenizer,
} from '@sd/core';
import type { WeightedText } from '@sd/guidance';
import type { RunAdapters } from './attach/run-adapters.js';
import { sideBySide, zerosLike } from './embeddings.js';
import type { Warning } from './events.js';
import type { Request } from './options.js';
import type { StageFacts } from './stage-facts.js';
import type { Stages } from './stages.js';
import { blendTexts } from './start/blend.js';

/** A run's prompts as embeddings, at a step of a pass, both counted from 0. */
export interface Texts {
  positive(pass: number, step: number): readonly WeightedText[];
  negative(pass: number, step: number): TextEmbedding;
}

/** One text encoder of a model. */
export interface Encoder {
  /** By diffusers' name: `text_encoder_2`. */
  readonly component: string;
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
}

/** What each text encoder is given to read for one embedding, and the option that it comes from. */
export interface Asked<T> {
  readonly option: string;
  readonly texts: readonly [first: T, second: T];
}

/** Prompts over a run: all texts that it needs, and which of them are in force at a step of a pass, and how much of each. */
export interface PromptSchedule<T> {
  readonly asked: readonly Asked<T>[];
  at(pass: number, step: number): readonly { readonly text: number; readonly weight: number }[];
}

/** A prompt that is to be scheduled; `second` is what SDXL's second text encoder reads in place of `text`. */
export interface PromptToSchedule {
  readonly option: string;
  readonly text: string;
  readonly second: string;
  readonly weight: number;
}

export interface ReadTexts {
  readonly embeddings: readonly TextEmbedding[];
  /** The empty prompt's, for texts to be filled up with. */
  readonly empty?: TextEmbedding;
  readonly warnings: readonly Warning[];
}

/** One text, and the empty prompt, by one text encoder or by several side by side. */
export interface ReadText {
  readonly embedding: TextEmbedding;
  readonly empty: TextEmbedding | undefined;
}

/** How prompts are read: as they stand, or by the rules of a syntax. */
export interface PromptReader<T> {
  schedule(prompts: readonly PromptToSchedule[], options: { readonly negative: boolean }): PromptSchedule<T>;
  /** Embeddings of texts by one text encoder, and what is to be told of them. */
  read(
    encoder: Encoder,
    texts: readonly { readonly option: string; readonly text: T }[],
    options: TextEncoderOptions,
  ): Promise<ReadTexts>;
  /** What several text encoders made of one text, as long as the longest of them. */
  level(parts: readonly ReadText[]): readonly TextEmbedding[];
  /** Embeddings that the U-Net can see together: of one length. */
  aligned(texts: readonly ReadText[]): readonly TextEmbedding[];
}

/**
 * A run's prompts as embeddings. Of two text encoders, the hidden states stand side by side and the vector for the whole is
 * the second's, as in diffusers' StableDiffusionXLPipeline; so does what else is of SDXL alone: hidden states before the last
 * layer, zeros for a negative prompt that is not given, and a `clipSkip` that leaves the negative prompt alone.
 */
export async function encodePrompts(
  stages: Stages,
  request: Request,
  facts: StageFacts,
  adapters: RunAdapters,
  warnings: Warning[],
): Promise<Texts> {
  const hasWords = encodersOf(stages).some(({ component }) => adapters.words(component) !== undefined);
  if (request.syntax === 'plain' && !hasWords) {
    return encodeBy(plainReader, stages, request, facts, adapters, warnings);
  }
  const { syntaxReader } = await import('./text/syntax-reader.js');
  return encodeBy(syntaxReader(request, adapters), stages, request, facts, adapters, warnings);
}

async function encodeBy<T>(
  reader: PromptReader<T>,
  stages: Stages,
  request: Request,
  facts: StageFacts,
  adapters: RunAdapters,
  warnings: Warning[],
): Promise<Texts> {
  const { prompts, prompt2, usesNegative, negativePrompt, negativePrompt2, clipSkip } = request;
  const { blend } = request.start;
  const xl = facts.told !== 'nothing';
  const one = (option: string, text: string, second = text) => [{ option, text, second, weight: 1 }];
  const positive = reader.schedule(
    prompts.map(({ text, weight }, i) => ({
      option: prompts.length === 1 ? 'prompt' : `prompt[${i}]`,
      text,
      second: prompt2 ?? text,
      weight,
    })),
    { negative: false },
  );
  const zeros = facts.zeroNegative && negativePrompt === undefined && negativePrompt2 === undefined;
  const negative =
    (usesNegative || composes(positive.at(0, 0))) && !zeros
      ? reader.schedule(one('negativePrompt', negativePrompt ?? '', negativePrompt2), { negative: true })
      : undefined;
  const asked = [...positive.asked];
  const without = [...(negative?.asked ?? [])];
  if (blend !== undefined) {
    if (asked.length > 1 || without.length > 1) {
      throw new InvalidOptionError('blend', 'does not go with prompts that change over the steps.');
    }
    const other = (option: string, text: string | undefined, own: Asked<T>, isNegative: boolean) =>
      text === undefined ? own : reader.schedule(one(option, text), { negative: isNegative }).asked[0]!;
    asked.push(other('blend.prompt', blend.prompt, asked[0]!, false));
    const [own] = without;
    if (own !== undefined) without.push(other('blend.negativePrompt', blend.negativePrompt, own, true));
  }

  const encode = (texts: readonly Asked<T>[], skipped: number) =>
    encodeAll(reader, encodersOf(stages), texts, { xl, clipSkip: skipped, request, adapters, warnings });
  const apart = xl && clipSkip > 0 && without.length > 0;
  const encoded = reader.aligned(
    apart
      ? [...(await encode(asked, clipSkip)), ...(await encode(without, 0))]
      : await encode([...asked, ...without], clipSkip),
  );
  const mixed = (own: TextEmbedding, other: TextEmbedding | undefined) =>
    blend === undefined || other === undefined ? own : blendTexts(own, other, blend.amount);
  const along = positive.asked.map((_, i) => mixed(encoded[i]!, encoded[positive.asked.length + i]));
  const beside = (negative?.asked ?? []).map((_, i) =>
    mixed(encoded[asked.length + i]!, encoded[asked.length + i + 1]),
  );
  // Conditions tell the negative prompt by its object, so that it must be another than the prompt's.
  const nothing = zeros ? zerosLike(along[0]!) : { ...along[0]! };
  return {
    positive: (pass, step) => positive.at(pass, step).map(({ text, weight }) => ({ embedding: along[text]!, weight })),
    negative: (pass, step) => (negative === undefined ? nothing : beside[negative.at(pass, step)[0]!.text]!),
  };
}

/** Do these prompts stand for something against the negative prompt, whatever the guidance? */
function composes(prompts: readonly { readonly weight: number }[]): boolean {
  return prompts.length !== 1 || prompts[0]!.weight !== 1;
}

/** Reads prompts as they stand, as diffusers does: what does not fit a window is left out. */
const plainReader: PromptReader<string> = {
  schedule: (prompts) => ({
    asked: prompts.map(({ option, text, second }) => ({ option, texts: [text, second] })),
    at: () => prompts.map(({ weight }, text) => ({ text, weight })),
  }),
  async read({ tokenizer, textEncoder }, texts, options) {
    const tokens = texts.map(({ text }) => tokenizer.encode(text));
    return {
      embeddings: await textEncoder.encode(tokens, options),
      warnings: tokens.flatMap(({ truncated }, i) =>
        truncated === '' ? [] : [truncatedWarning(texts[i]!.option, tokenizer, truncated)],
      ),
    };
  },
  level: embeddingsOf,
  aligned: embeddingsOf,
};

function embeddingsOf(texts: readonly ReadText[]): TextEmbedding[] {
  return texts.map(({ embedding }) => embedding);
}

function encodersOf({ tokenizer, textEncoder, tokenizer2, textEncoder2 }: Stages): Encoder[] {
  const encoders: Encoder[] = [{ component: 'text_encoder', tokenizer, textEncoder }];
  if (tokenizer2 !== undefined && textEncoder2 !== undefined) {
    encoders.push({ component: 'text_encoder_2', tokenizer: tokenizer2, textEncoder: textEncoder2 });
  }
  return encoders;
}

interface EncodeOptions {
  readonly xl: boolean;
  readonly clipSkip: number;
  readonly request: Request;
  readonly adapters: RunAdapters;
  readonly warnings: Warning[];
}

async function encodeAll<T>(
  reader: PromptReader<T>,
  encoders: readonly Encoder[],
  asked: readonly Asked<T>[],
  { xl, clipSkip, request, adapters, warnings }: EncodeOptions,
): Promise<ReadText[]> {
  const parts: ReadTexts[] = [];
  for (const [which, encoder] of encoders.entries()) {
    const texts = asked.map(({ option, texts: both }) => ({ option, text: both[which]! }));
    const read = await reader.read(encoder, texts, {
      clipSkip,
      ...(xl && { output: 'penultimate' }),
      conditions: adapters.textInputs(encoder.component),
      ...(request.signal && { signal: request.signal }),
    });
    for (const warning of read.warnings) warn(warnings, warning);
    parts.push(read);
  }
  const empties = parts.flatMap(({ empty }) => empty ?? []);
  const empty = empties.length < parts.length ? undefined : sideBySide(empties);
  return asked.map((_, i) => {
    const levelled = reader.level(parts.map((part) => ({ embedding: part.embeddings[i]!, empty: part.empty })));
    return { embedding: sideBySide(levelled), empty };
  });
}

/** Two encoders that read the same text have one thing to say of it. */
function warn(warnings: Warning[], warning: Warning): void {
  if (!warnings.some(({ message }) => message === warning.message)) warnings.push(warning);
}

export function truncatedWarning(option: string, { maxLength }: Tokenizer, truncated: string): Warning {
  return {
    code: 'prompt-truncated',
    message: `${option} is longer than the model's ${maxLength} tokens. Left out: ${JSON.stringify(truncated)}.`,
  };
}
