import type { TextEmbedding } from '@sd/core';
import type { GuidanceInput, WeightedText } from './guidance.js';

/** Raw outputs with the prompt and without. */
export interface GuidedOutputs {
  readonly positive: Float32Array;
  readonly negative: Float32Array;
}

/**
 * The positive prompts' raw outputs, composed to one, and the negative's, in one call. Prompts compose to
 * `negative + sum of weight * (prompt - negative)` (compositional visual generation, arXiv 2206.01714, section 4): the
 * conjunction of all, and of none of those with weights below 0.
 */
export async function predictBoth({ positive, negative, predict }: GuidanceInput): Promise<GuidedOutputs> {
  const [without, ...along] = await predict([negative, ...positive.map(({ embedding }) => embedding)]);
  return { positive: composed(positive, along, without), negative: without };
}

/** The positive prompts' raw outputs, composed to one. The negative is asked for only where weights do not sum to 1. */
export async function predictPositive(input: GuidanceInput): Promise<Float32Array> {
  const { positive, predict } = input;
  if (remainder(positive) !== 0) return (await predictBoth(input)).positive;
  return composed(positive, await predict(positive.map(({ embedding }) => embedding)));
}

/** The composition of outputs that were asked for before, or undefined where one is missing. */
export function composedFrom(
  outputs: ReadonlyMap<TextEmbedding, Float32Array>,
  { positive, negative }: GuidanceInput,
): Float32Array | undefined {
  const along = positive.flatMap(({ embedding }) => outputs.get(embedding) ?? []);
  const without = outputs.get(negative);
  const complete = along.length === positive.length && (without !== undefined || remainder(positive) === 0);
  return complete ? composed(positive, along, without) : undefined;
}

/** The same input, and the outputs that were asked for through it, by their texts. */
export function remembering(input: GuidanceInput): {
  readonly input: GuidanceInput;
  readonly outputs: ReadonlyMap<TextEmbedding, Float32Array>;
} {
  const outputs = new Map<TextEmbedding, Float32Array>();
  const predict = async (texts: readonly TextEmbedding[]) => {
    const given = await input.predict(texts);
    for (const [i, text] of texts.entries()) outputs.set(text, given[i]);
    return given;
  };
  return { input: { ...input, predict }, outputs };
}

function composed(
  texts: readonly WeightedText[],
  along: readonly Float32Array[],
  without: Float32Array = along[0],
): Float32Array {
  if (texts.length === 1 && texts[0].weight === 1) return along[0];
  const rest = remainder(texts);
  return without.map((value, i) => texts.reduce((sum, { weight }, k) => sum + weight * along[k][i], rest * value));
}

/** The negative output's weight in a composition: what the others lack to 1. */
function remainder(texts: readonly WeightedText[]): number {
  const rest = texts.reduce((left, { weight }) => left - weight, 1);
  return Math.abs(rest) < 1e-6 ? 0 : rest;
}
