/** A piece of text with one weight. */
export interface Fragment {
  readonly text: string;
  /** 1 for text without a weight; weights of nested brackets are already multiplied. */
  readonly weight: number;
  /** The textual inversion that is named here: ComfyUI's `embedding:name`. `text` is what was written. */
  readonly word?: string;
}

/** Consecutive fragments. The next section begins a new chunk: A1111's `BREAK`. */
export type Section = readonly Fragment[];

/** Sections that are encoded together, and how much of them goes into a clause. */
export interface Passage {
  readonly weight: number;
  readonly sections: readonly Section[];
}

/** A text that is encoded separately; the clauses of a prompt are joined along the tokens. */
export interface Clause {
  /** How far from the empty prompt's embedding: 1, except for compel's `.and(1, 0.5)`. */
  readonly weight: number;
  /** Passages, of which the weighted sum is taken: a single one of weight 1, except for compel's `.blend()`. */
  readonly mix: readonly Passage[];
}

/** The text of one context of the noise predictor. */
export interface PromptText {
  /** A single one, except for compel's `.and()`. */
  readonly clauses: readonly Clause[];
  /** The text that the pooled vector is of, if not the first window: compel takes the prompt as written. */
  readonly pooledFrom?: string;
  /** What joins fragments for a text encoder that knows no weights (T5): nothing by default, a space in compel. */
  readonly separator?: string;
}

/** A step of a run. */
export interface RunStep {
  /** Counted from 0. */
  readonly step: number;
  /** Steps of this pass. */
  readonly steps: number;
  /** In the second pass (A1111's hires fix): the steps of the first. */
  readonly firstPassSteps?: number;
}

/** One of the prompts that are composed into an image: A1111's `AND`. */
export interface PromptPart {
  readonly weight: number;
  /** The text at a step. */
  at(place: RunStep): PromptText;
}

/** A LoRA, hypernetwork or the like that a prompt names. */
export interface NetworkMention {
  /** As written: `lora`, `lyco`, `hypernet`... */
  readonly kind: string;
  readonly name: string;
  readonly textWeight: number;
  readonly unetWeight: number;
}

/** A parsed prompt. */
export interface PromptPlan {
  /** At least one. */
  readonly parts: readonly PromptPart[];
  readonly networks: readonly NetworkMention[];
}

/** Sections as the text of a whole prompt. */
export function textOf(sections: readonly Section[]): PromptText {
  return { clauses: [{ weight: 1, mix: [{ weight: 1, sections }] }] };
}

/** A plan with one text for all steps. */
export function constantPlan(text: PromptText, networks: readonly NetworkMention[] = []): PromptPlan {
  return { parts: [{ weight: 1, at: () => text }], networks };
}
