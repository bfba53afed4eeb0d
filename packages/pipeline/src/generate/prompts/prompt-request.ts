import type { PromptSyntax } from '@sd/tokenizer/prompt';

/** A prompt as the caller wrote it. */
export interface PromptInput {
  /** The option that it comes from, for messages: `prompt`, `prompt[1]`, `negativePrompt`. */
  readonly option: string;
  readonly text: string;
  readonly weight: number;
  /** What the second, third... text encoder reads in place of `text`. Undefined ones read `text` too. */
  readonly alternatives?: readonly (string | undefined)[];
}

/** A prompt to blend the run's only prompt with. */
export interface BlendRequest {
  /** Undefined if the prompt stays as it is. */
  readonly prompt?: string;
  /** Undefined if the negative prompt stays as it is. */
  readonly negativePrompt?: string;
  /** From 0 (the run's own prompts) to 1 (these). */
  readonly amount: number;
}

/** Steps of one pass of a run; the second pass also has those of the first. */
export interface PassSteps {
  readonly steps: number;
  readonly firstPassSteps?: number;
}

/** What a run says of its prompts. */
export interface PromptRequest {
  /** At least one. */
  readonly prompts: readonly PromptInput[];
  /** Undefined if it was not given. */
  readonly negative: PromptInput | undefined;
  /** Whether the guidance uses the negative prompt. Composed and weighted prompts need it in any case. */
  readonly usesNegative: boolean;
  readonly blend?: BlendRequest;
  readonly syntax: PromptSyntax;
  /** How many of the text encoders' last layers are left out. */
  readonly clipSkip: number;
  readonly passes: readonly PassSteps[];
  readonly signal: AbortSignal | undefined;
}
