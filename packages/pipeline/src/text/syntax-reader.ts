import { InvalidOptionError, type TextEmbedding, type TextEncoder, type Tokenizer } from '@sd/core';
import type { ClipTokenizer } from '@sd/tokenizer';
import {
  chunkOptions,
  type PromptPlan,
  type PromptText,
  parsePrompt,
  textsOver,
  type WordTokenizer,
  withWords,
} from '@sd/tokenizer/prompt';
import type { RunAdapters } from '../attach/run-adapters.js';
import {
  type Asked,
  type Encoder,
  type PromptReader,
  type PromptSchedule,
  type ReadText,
  truncatedWarning,
} from '../encode-prompts.js';
import type { Warning } from '../events.js';
import type { Request } from '../options.js';
import { encodeTexts } from './encode.js';
import { fillUp, sameLength } from './lengths.js';

/**
 * Reads prompts by the rules of the request's syntax, over any number of windows (a plain one over one), with the words of
 * attached textual inversions.
 */
export function syntaxReader(request: Request, adapters: RunAdapters): PromptReader<PromptText> {
  const { syntax } = request;
  const first = request.plan.stepCount;
  const second = request.start.upscale?.plan.stepCount;
  const passes = [{ steps: first }, ...(second === undefined ? [] : [{ steps: second, firstPassSteps: first }])];

  return {
    schedule(prompts, { negative }) {
      const plans = prompts.map(({ option, text, second: other, weight }) => ({
        option,
        weight,
        own: parsePrompt(text, { syntax, negative }),
        other: text === other ? undefined : parsePrompt(other, { syntax, negative }),
      }));
      return joined(plans.map((plan) => scheduleOf(plan, passes)));
    },
    async read(encoder, texts, options) {
      const words = adapters.words(encoder.component);
      const { embeddings, empty, truncated, missing } = await encodeTexts(
        texts.map(({ text }) => text),
        {
          ...options,
          tokenizer: tokenizerFor(encoder, words?.counts),
          textEncoder: encoder.textEncoder,
          weights: syntax === 'plain' ? 'a1111' : syntax,
          chunks: syntax === 'plain' ? { maxChunks: 1 } : chunkOptions[syntax],
          conditions: { ...options.conditions, ...(words && { token_vectors: words.vectors }) },
        },
      );
      const cut = truncated.flatMap((end, i): Warning[] =>
        end === '' ? [] : [truncatedWarning(texts[i]!.option, encoder.tokenizer, end)],
      );
      const unknown = missing.map((word): Warning => {
        return {
          code: 'embedding-missing',
          message: `The prompt has embedding:${word}, but no such word is attached.`,
        };
      });
      return { embeddings, empty, warnings: [...cut, ...unknown] };
    },
    // As ComfyUI does with texts that the two encoders of SDXL divide into more windows and fewer.
    level: filledUp,
    aligned: (texts) => (syntax === 'compel' ? filledUp(texts) : sameLength(texts.map(({ embedding }) => embedding))),
  };
}

/** Embeddings as long as the longest, with windows of the empty prompt behind the others: how compel aligns prompts. */
function filledUp(texts: readonly ReadText[]): TextEmbedding[] {
  const tokens = Math.max(...texts.map(({ embedding }) => embedding.hidden.dims[0]!));
  return texts.map(({ embedding, empty }) => ({
    ...embedding,
    hidden: fillUp(embedding.hidden, tokens, empty!.hidden),
  }));
}

interface PlannedPrompt {
  readonly option: string;
  readonly weight: number;
  readonly own: PromptPlan;
  /** What a second text encoder reads, where that is another text. */
  readonly other: PromptPlan | undefined;
}

type Passes = readonly { readonly steps: number; readonly firstPassSteps?: number }[];

/** One prompt's texts in all passes; those of both text encoders go in pairs. */
function scheduleOf({ option, weight, own, other }: PlannedPrompt, passes: Passes): PromptSchedule<PromptText> {
  if (other !== undefined && other.parts.length !== own.parts.length) {
    throw new InvalidOptionError(
      `${option}2`,
      `must have as many parts with AND as ${option}, ${own.parts.length}, not ${other.parts.length}.`,
    );
  }
  const asked: Asked<PromptText>[] = [];
  const known = new Map<string, number>();
  const indexOf = (texts: readonly [PromptText, PromptText]): number => {
    const key = JSON.stringify(texts);
    const index = known.get(key) ?? asked.push({ option, texts }) - 1;
    known.set(key, index);
    return index;
  };
  const over = passes.map((pass) => {
    const [mine, theirs] = [textsOver(own, pass), other && textsOver(other, pass)];
    return Array.from({ length: Math.max(1, pass.steps) }, (_, step) => {
      const others = theirs?.at(step);
      return mine.at(step).map((part, i) => {
        const text = mine.texts[part.text]!;
        const pair = others === undefined ? text : theirs!.texts[others[i]!.text]!;
        return { text: indexOf([text, pair]), weight: part.weight * weight };
      });
    });
  });
  return { asked, at: (pass, step) => over[pass]![Math.min(step, over[pass]!.length - 1)]! };
}

/** Several prompts that make a picture together, as one schedule. */
function joined(schedules: readonly PromptSchedule<PromptText>[]): PromptSchedule<PromptText> {
  const starts = schedules.map((_, i) => schedules.slice(0, i).reduce((sum, { asked }) => sum + asked.length, 0));
  return {
    asked: schedules.flatMap(({ asked }) => asked),
    at: (pass, step) =>
      schedules.flatMap((schedule, i) =>
        schedule.at(pass, step).map(({ text, weight }) => ({ text: text + starts[i]!, weight })),
      ),
  };
}

function tokenizerFor(
  { tokenizer, textEncoder }: Encoder,
  counts: Readonly<Record<string, number>> | undefined,
): ClipTokenizer | WordTokenizer {
  if (!isClipTokenizer(tokenizer)) {
    throw new InvalidOptionError(
      'syntax',
      'other than plain needs a tokenizer with tokenize(), decode() and the ids of its special tokens, as @sd/tokenizer has.',
    );
  }
  return counts === undefined ? tokenizer : withWords(tokenizer, counts, vocabSizeOf(textEncoder));
}

function isClipTokenizer(tokenizer: Tokenizer): tokenizer is ClipTokenizer {
  return 'tokenize' in tokenizer && 'startId' in tokenizer;
}

/** Attaching has checked that it is an encoder of ours. */
function vocabSizeOf(textEncoder: TextEncoder): number {
  return (textEncoder as TextEncoder & { readonly config: { readonly vocabSize: number } }).config.vocabSize;
}
