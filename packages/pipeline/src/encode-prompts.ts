import { expectTensor, type Tensor, type TextEmbedding, type TextEncoder, type Tokenizer, tensor } from '@sd/core';
import type { WeightedText } from '@sd/unet';
import type { RunAdapters } from './attach/run-adapters.js';
import type { Warning } from './events.js';
import type { Request } from './options.js';
import type { StageFacts } from './stage-facts.js';
import type { Stages } from './stages.js';
import { blendTexts } from './start/blend.js';

export interface Texts {
  readonly positive: readonly WeightedText[];
  readonly negative: TextEmbedding;
}

/** One text encoder of a model, and what it is called. */
interface Encoder {
  readonly part: 'textEncoder' | 'textEncoder2';
  readonly tokenizer: Tokenizer;
  readonly textEncoder: TextEncoder;
}

/** What each text encoder is given to read for one embedding, and the option that it comes from. */
interface Asked {
  readonly option: string;
  readonly texts: readonly [first: string, second: string];
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
  const { prompts, prompt2, usesNegative, negativePrompt, negativePrompt2, clipSkip } = request;
  const { blend } = request.start;
  const xl = facts.told !== 'nothing';
  const positive = prompts.map(
    ({ text }, i): Asked => ({
      option: prompts.length === 1 ? 'prompt' : `prompt[${i}]`,
      texts: [text, prompt2 ?? text],
    }),
  );
  const zeros = facts.zeroNegative && negativePrompt === undefined && negativePrompt2 === undefined;
  const without = negativePrompt ?? '';
  const negative: Asked[] =
    usesNegative && !zeros ? [{ option: 'negativePrompt', texts: [without, negativePrompt2 ?? without] }] : [];
  if (blend !== undefined) {
    const both = (text: string | undefined, own: Asked) => (text === undefined ? own.texts : ([text, text] as const));
    positive.push({ option: 'blend.prompt', texts: both(blend.prompt, positive[0]!) });
    const [own] = negative;
    if (own !== undefined) negative.push({ option: 'blend.negativePrompt', texts: both(blend.negativePrompt, own) });
  }

  const encode = (asked: readonly Asked[], skipped: number) =>
    encodeAll(encodersOf(stages), asked, { xl, clipSkip: skipped, request, adapters, warnings });
  const apart = xl && clipSkip > 0 && negative.length > 0;
  const encoded = apart
    ? [...(await encode(positive, clipSkip)), ...(await encode(negative, 0))]
    : await encode([...positive, ...negative], clipSkip);
  const [along, beside] = [encoded.slice(0, positive.length), encoded.slice(positive.length)];
  const mixed = (own: TextEmbedding, other: TextEmbedding | undefined) =>
    blend === undefined || other === undefined ? own : blendTexts(own, other, blend.amount);
  const embeddings = prompts.map((_, i) => mixed(along[i]!, along[prompts.length + i]));
  return {
    positive: prompts.map(({ weight }, i) => ({ embedding: embeddings[i]!, weight })),
    // Conditions tell the negative prompt by its object, so that it must be another than the prompt's.
    negative:
      negative.length > 0 ? mixed(beside[0]!, beside[1]) : zeros ? zerosLike(embeddings[0]!) : { ...embeddings[0]! },
  };
}

function encodersOf({ tokenizer, textEncoder, tokenizer2, textEncoder2 }: Stages): Encoder[] {
  const encoders: Encoder[] = [{ part: 'textEncoder', tokenizer, textEncoder }];
  if (tokenizer2 !== undefined && textEncoder2 !== undefined) {
    encoders.push({ part: 'textEncoder2', tokenizer: tokenizer2, textEncoder: textEncoder2 });
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

async function encodeAll(
  encoders: readonly Encoder[],
  asked: readonly Asked[],
  { xl, clipSkip, request, adapters, warnings }: EncodeOptions,
): Promise<TextEmbedding[]> {
  const parts: TextEmbedding[][] = [];
  for (const [which, { part, tokenizer, textEncoder }] of encoders.entries()) {
    const tokens = asked.map(({ option, texts }) => {
      const result = tokenizer.encode(texts[which]!);
      if (result.truncated !== '') warn(warnings, truncatedWarning(option, tokenizer, result.truncated));
      return result;
    });
    const encoded = await textEncoder.encode(tokens, {
      clipSkip,
      ...(xl && { output: 'penultimate' }),
      conditions: adapters.text(part),
      signal: request.signal,
    });
    parts.push(encoded);
  }
  return asked.map((_, i) => sideBySide(parts.map((part) => part[i]!)));
}

/** Two encoders that read the same text have one thing to say of it. */
function warn(warnings: Warning[], warning: Warning): void {
  if (!warnings.some(({ message }) => message === warning.message)) warnings.push(warning);
}

function truncatedWarning(option: string, { maxLength }: Tokenizer, truncated: string): Warning {
  return {
    code: 'prompt-truncated',
    message: `${option} is longer than the model's ${maxLength} tokens. Left out: ${JSON.stringify(truncated)}.`,
  };
}

/** Hidden states of several text encoders as one, [tokens, sum of widths], and the last one's vector for the whole. */
function sideBySide(parts: readonly TextEmbedding[]): TextEmbedding {
  if (parts.length === 1) return parts[0]!;
  const [tokens] = parts[0]!.hidden.dims as [number];
  const widths = parts.map(({ hidden }) => hidden.dims[1]!);
  const width = widths.reduce((sum, one) => sum + one, 0);
  const hidden = tensor('float32', [tokens, width]);
  let start = 0;
  for (const [k, part] of parts.entries()) {
    expectTensor('The second text encoder’s output', part.hidden, 'float32', [tokens, -1]);
    for (let i = 0; i < tokens; i++) {
      hidden.data.set(part.hidden.data.subarray(i * widths[k]!, (i + 1) * widths[k]!), i * width + start);
    }
    start += widths[k]!;
  }
  const { pooled } = parts.at(-1)!;
  return { hidden, ...(pooled && { pooled }) };
}

function zerosLike({ hidden, pooled }: TextEmbedding): TextEmbedding {
  const zeros = ({ dims }: Tensor<'float32'>) => tensor('float32', dims);
  return { hidden: zeros(hidden), ...(pooled && { pooled: zeros(pooled) }) };
}
