import { InvalidOptionError, show, type TextEmbedding } from '@sd/core';
import type { WordPlace } from '@sd/unet/attention';
import type { Texts } from '../prompts/index.js';
import type { Request } from '../request.js';

/** A word of the run's prompts. */
export interface PromptWord {
  readonly word: string;
  readonly index: number;
  readonly prompt: number;
}

/** The words to map. */
export interface PromptWords {
  /** In the order of the prompts, by keys. A word at one place of texts that change over the steps is one word. */
  readonly words: ReadonlyMap<string, PromptWord>;
  /** Where they are in the context of each positive prompt. */
  readonly places: ReadonlyMap<TextEmbedding, ReadonlyMap<string, WordPlace>>;
}

/** The words of a run's prompts, or those `chosen`. Throws an InvalidOptionError for a chosen word that is in no prompt. */
export async function promptWords(
  texts: Texts,
  passes: Request['passes'],
  chosen: readonly string[] | undefined,
): Promise<PromptWords> {
  const ofContexts = await texts.words();
  const wanted = chosen && new Set(chosen.map((word) => word.toLowerCase()));
  const words = new Map<string, PromptWord>();
  const places = new Map<TextEmbedding, ReadonlyMap<string, WordPlace>>();
  for (const { embedding, prompt } of positivePrompts(texts, passes)) {
    const ofPrompt = new Map<string, WordPlace>();
    (ofContexts.get(embedding) ?? []).forEach(({ word, ...place }, index) => {
      if (wanted?.has(word.toLowerCase()) === false) return;
      const key = `${prompt} ${index} ${word}`;
      words.set(key, { word, index, prompt });
      ofPrompt.set(key, place);
    });
    places.set(embedding, ofPrompt);
  }
  checkFound(chosen, words, ofContexts);
  return { words: sorted(words), places };
}

/** The embeddings of the positive prompts over all steps, each once, with the index of its prompt. */
function positivePrompts(texts: Texts, passes: Request['passes']) {
  const prompts = new Map<TextEmbedding, number>();
  passes.forEach(({ steps }, pass) => {
    for (let step = 0; step < Math.max(steps, 1); step++) {
      texts.positive(pass, step).forEach(({ embedding }, prompt) => {
        if (!prompts.has(embedding)) prompts.set(embedding, prompt);
      });
    }
  });
  return [...prompts].map(([embedding, prompt]) => ({ embedding, prompt }));
}

function checkFound(
  chosen: readonly string[] = [],
  words: ReadonlyMap<string, PromptWord>,
  ofContexts: Awaited<ReturnType<Texts['words']>>,
): void {
  const found = new Set([...words.values()].map(({ word }) => word.toLowerCase()));
  const missing = chosen.find((word) => !found.has(word.toLowerCase()));
  if (missing === undefined) return;
  const known = new Set([...ofContexts.values()].flatMap((list) => list.map(({ word }) => word)));
  const advice = known.size === 0 ? 'The prompt has no words.' : `It has ${[...known].join(', ')}.`;
  throw new InvalidOptionError('attentionMaps.words', `has ${show(missing)}, which is not in the prompt. ${advice}`);
}

function sorted(words: ReadonlyMap<string, PromptWord>): ReadonlyMap<string, PromptWord> {
  return new Map([...words].sort(([, a], [, b]) => a.prompt - b.prompt || a.index - b.index));
}
