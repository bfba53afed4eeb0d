import type { PromptSyntax } from '@sd/tokenizer/prompt';

/** A prompt as the caller wrote it. */
export interface PromptInput {
  /** The option that it was passed as, for messages: `prompt`, `prompt[1]`, `negativePrompt`. */
  readonly option: string;
  readonly text: string;
  readonly weight: number;
  /** The texts for the second, third, … text encoder in place of `text`; `text` where undefined. */
  readonly alternatives?: readonly (string | undefined)[];
}

/** A prompt to blend the run's single prompt with. */
export interface BlendRequest {
  /** The run's prompt by default. */
  readonly prompt?: string | undefined;
  /** The run's negative prompt by default. */
  readonly negativePrompt?: string | undefined;
  /** 0 for the run's prompts, 1 for these. */
  readonly amount: number;
}

/** The number of steps of a pass; for the second pass, that of the first one too. */
export interface PassSteps {
  readonly steps: number;
  readonly firstPassSteps?: number;
}

/** The prompts of a run and how to read them. */
export interface PromptRequest {
  /** At least one. */
  readonly prompts: readonly PromptInput[];
  /** Undefined if none was given. */
  readonly negative: PromptInput | undefined;
  /** Whether the guidance uses the negative prompt. Composed and weighted prompts always do. */
  readonly usesNegative: boolean;
  readonly blend?: BlendRequest;
  readonly syntax: PromptSyntax;
  /** How many of the text encoders' last layers to skip. */
  readonly clipSkip: number;
  readonly passes: readonly PassSteps[];
  readonly signal: AbortSignal | undefined;
}
