import type { RunAdapters } from './attach/run-adapters.js';
import type { Warning } from './events.js';
import {
  encodePrompts as encodeWith,
  loadSyntax,
  type ParsedPrompts,
  parsePrompts,
  type StackEncoder,
  sideBySide,
  type TextStack,
  type Texts,
} from './generate/prompts/index.js';
import type { Request } from './options.js';
import type { StageFacts } from './stage-facts.js';
import type { Stages } from './stages.js';

/** Parses the prompts of a request. Rejects with an InvalidOptionError. */
export async function parseRequest(request: Request): Promise<ParsedPrompts> {
  const { prompts, prompt2, negativePrompt, negativePrompt2, usesNegative, clipSkip, signal } = request;
  const { blend, upscale } = request.start;
  const firstPassSteps = request.plan.stepCount;
  const isNegativeGiven = negativePrompt !== undefined || negativePrompt2 !== undefined;
  return parsePrompts({
    prompts: prompts.map(({ text, weight }, i) => ({
      option: prompts.length === 1 ? 'prompt' : `prompt[${i}]`,
      text,
      weight,
      alternatives: [prompt2],
    })),
    negative: isNegativeGiven
      ? { option: 'negativePrompt', text: negativePrompt ?? '', weight: 1, alternatives: [negativePrompt2] }
      : undefined,
    usesNegative,
    blend,
    syntax: await loadSyntax(request.syntax),
    clipSkip,
    passes: [
      { steps: firstPassSteps },
      ...(upscale === undefined ? [] : [{ steps: upscale.plan.stepCount, firstPassSteps }]),
    ],
    signal,
  });
}

/** Encodes parsed prompts with a pipeline's text encoders. */
export function encodePrompts(
  stages: Stages,
  prompts: ParsedPrompts,
  facts: StageFacts,
  adapters: RunAdapters,
  warnings: Warning[],
): Promise<Texts> {
  return encodeWith(prompts, textStack(stages, facts, adapters), warnings);
}

/**
 * Two encoders stand side by side, as in diffusers' StableDiffusionXLPipeline. So is what else is SDXL's alone: hidden states
 * before the last layer, zeros for a negative prompt that is not given, and a `clipSkip` that leaves the negative prompt alone.
 */
function textStack(
  { tokenizer, textEncoder, tokenizer2, textEncoder2 }: Stages,
  facts: StageFacts,
  adapters: RunAdapters,
): TextStack {
  const isXl = facts.told !== 'nothing';
  const encoder = (
    part: 'textEncoder' | 'textEncoder2',
    component: string,
    stages: Pick<StackEncoder, 'tokenizer' | 'textEncoder'>,
  ): StackEncoder => ({
    ...stages,
    component,
    output: isXl ? 'penultimate' : undefined,
    conditions: adapters.text(part),
    words: adapters.words(part),
  });
  const encoders = [encoder('textEncoder', 'text_encoder', { tokenizer, textEncoder })];
  if (tokenizer2 !== undefined && textEncoder2 !== undefined) {
    encoders.push(encoder('textEncoder2', 'text_encoder_2', { tokenizer: tokenizer2, textEncoder: textEncoder2 }));
  }
  return { encoders, combine: sideBySide, clipSkipForNegative: !isXl, zeroNegative: facts.zeroNegative };
}
