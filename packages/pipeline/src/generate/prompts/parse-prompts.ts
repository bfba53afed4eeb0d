import type { NetworkMention, PromptPlan } from '@sd/tokenizer/prompt';
import type { PromptInput, PromptRequest } from './prompt-request.js';
import { blendSchedules, composeSchedules, type PromptSchedule, schedulePrompt } from './prompt-schedule.js';

/** The parsed prompts of a run. */
export interface ParsedPrompts {
  readonly request: PromptRequest;
  readonly positive: PromptSchedule;
  /** Undefined if nothing in the run uses the negative prompt. */
  readonly negative: PromptSchedule | undefined;
  /** Networks named in the prompts (`<lora:name:0.7>`); negative, alternative and blended prompts are not searched. */
  readonly networks: readonly NetworkMention[];
}

/** Parses each prompt of a run once. Throws an InvalidOptionError for prompts that conflict. */
export function parsePrompts(request: PromptRequest): ParsedPrompts {
  const { prompts, negative = inputOf('negativePrompt', ''), blend } = request;
  const parse = parserOf(request, { negative: false });
  const positive = composeSchedules(prompts.map((prompt) => schedulePrompt(prompt, parse, request.passes)));
  const blended = (schedule: PromptSchedule, parser: Parser, option: 'prompt' | 'negativePrompt') => {
    if (blend === undefined) return schedule;
    const text = blend[option];
    const other = text === undefined ? undefined : inputOf(`blend.${option}`, text);
    return blendSchedules(schedule, other && schedulePrompt(other, parser, request.passes));
  };
  const scheduleNegative = () => {
    const parseNegative = parserOf(request, { negative: true });
    return blended(schedulePrompt(negative, parseNegative, request.passes), parseNegative, 'negativePrompt');
  };
  return {
    request,
    positive: blended(positive, parse, 'prompt'),
    negative: request.usesNegative || needsNegative(positive) ? scheduleNegative() : undefined,
    networks: prompts.flatMap(({ text }) => parse(text).networks),
  };
}

type Parser = (text: string) => PromptPlan;

/** A parser that caches its results by text. */
function parserOf({ syntax }: PromptRequest, options: { readonly negative: boolean }): Parser {
  const plans = new Map<string, PromptPlan>();
  return (text) => {
    const plan = plans.get(text) ?? syntax.parse(text, options);
    plans.set(text, plan);
    return plan;
  };
}

function inputOf(option: string, text: string): PromptInput {
  return { option, text, weight: 1 };
}

/** Whether the prompts need the negative prompt whatever the guidance, as several prompts or a weighted one do. */
function needsNegative(positive: PromptSchedule): boolean {
  const prompts = positive.at(0, 0);
  return prompts.length !== 1 || prompts[0].weight !== 1;
}
