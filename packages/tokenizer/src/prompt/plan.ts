/** Whose rules a prompt is written by; `plain` has none. */
export type PromptSyntax = 'a1111' | 'comfyui' | 'compel' | 'plain';

/** A piece of text with one weight. */
export interface Fragment {
  readonly text: string;
  /** 1 is none; weights of brackets inside brackets are multiplied already. */
  readonly weight: number;
  /** The textual inversion that is called by name here: ComfyUI's `embedding:name`. The text is what was written. */
  readonly word?: string;
}

/** Fragments that follow each other. The next section begins a new chunk: A1111's `BREAK`. */
export type Section = readonly Fragment[];

/** A text that is encoded apart from others; they are joined along the tokens. */
export interface Clause {
  /** How far from the empty prompt's embedding: 1, but for compel's `.and(1, 0.5)`. */
  readonly weight: number;
  /** Embeddings that are summed with these weights: one of weight 1, but for compel's `.blend()`. */
  readonly mix: readonly { readonly weight: number; readonly sections: readonly Section[] }[];
}

/** What makes one context for the U-Net. */
export interface PromptText {
  /** One, but for compel's `.and()`. */
  readonly clauses: readonly Clause[];
  /** The text whose pooled vector counts, where that is not the first window's: compel takes the prompt as it was written. */
  readonly pooledFrom?: string;
}

/** A place in a run. */
export interface RunStep {
  /** The step, counted from 0. */
  readonly step: number;
  /** The steps of this pass. */
  readonly steps: number;
  /** In the second pass (A1111's hires fix): the steps of the first one. */
  readonly firstPassSteps?: number;
}

/** One of the prompts that make a picture together: A1111's `AND`. */
export interface PromptPart {
  readonly weight: number;
  /** The text in force. */
  at(place: RunStep): PromptText;
}

/** A LoRA, hypernetwork or the like that the prompt names. */
export interface NetworkMention {
  /** As written: `lora`, `lyco`, `hypernet`... */
  readonly kind: string;
  readonly name: string;
  readonly textWeight: number;
  readonly unetWeight: number;
}

/** What a prompt asks for. */
export interface PromptPlan {
  readonly syntax: PromptSyntax;
  readonly parts: readonly PromptPart[];
  readonly networks: readonly NetworkMention[];
}

/** Sections as a whole text. */
export function textOf(sections: readonly Section[]): PromptText {
  return { clauses: [{ weight: 1, mix: [{ weight: 1, sections }] }] };
}

/** A plan of one text that stays the same. */
export function steadyPlan(
  syntax: PromptSyntax,
  text: PromptText,
  networks: readonly NetworkMention[] = [],
): PromptPlan {
  return { syntax, parts: [{ weight: 1, at: () => text }], networks };
}

/** Fragments without empty ones, and neighbours of one weight as one, with `between` where they meet. */
export function fuse(fragments: readonly Fragment[], between: string): Fragment[] {
  const fused: Fragment[] = [];
  for (const fragment of fragments) {
    if (fragment.text === '') continue;
    const before = fused.at(-1);
    const joins = before?.weight === fragment.weight && before.word === undefined && fragment.word === undefined;
    if (joins) fused[fused.length - 1] = { ...before, text: `${before.text}${between}${fragment.text}` };
    else fused.push(fragment);
  }
  return fused;
}

/** A product of weights without the last digits' noise, so that 1.1 times 1 / 1.1 is none. */
export function tidy(weight: number): number {
  return Number(weight.toPrecision(12));
}
