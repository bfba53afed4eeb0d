import type { TextEmbedding } from '@sd/core';
import type { GuidanceInput, WeightedText } from './guidance.js';

/** Raw outputs for the positive and the negative prompt. */
export interface GuidedOutputs {
  readonly positive: Float32Array;
  readonly negative: Float32Array;
}

/**
 * Evaluates all prompts in one call, and composes the positive ones: `negative + sum of weight * (prompt - negative)`, the
 * conjunction of prompts, and the negation of those with weights below 0 (Compositional visual generation, arXiv
 * 2206.01714, section 4).
 */
export async function predictBoth({ positive, negative, predict }: GuidanceInput): Promise<GuidedOutputs> {
  const [negativeOutput, ...outputs] = await predict([negative, ...positive.map(({ embedding }) => embedding)]);
  return { positive: compose(positive, outputs, negativeOutput), negative: negativeOutput };
}

/** Evaluates and composes the positive prompts. Needs the negative one only if the weights do not sum to 1. */
export async function predictPositive(input: GuidanceInput): Promise<Float32Array> {
  const { positive, predict } = input;
  if (negativeWeight(positive) !== 0) return (await predictBoth(input)).positive;
  return compose(positive, await predict(positive.map(({ embedding }) => embedding)));
}

/** Composes recorded outputs of the positive prompts; undefined if one is missing. */
export function composedFrom(
  outputs: ReadonlyMap<TextEmbedding, Float32Array>,
  { positive, negative }: GuidanceInput,
): Float32Array | undefined {
  const positiveOutputs = positive.flatMap(({ embedding }) => outputs.get(embedding) ?? []);
  const negativeOutput = outputs.get(negative);
  const isComplete =
    positiveOutputs.length === positive.length && (negativeOutput !== undefined || negativeWeight(positive) === 0);
  return isComplete ? compose(positive, positiveOutputs, negativeOutput) : undefined;
}

/** Wraps an input so that all outputs of its `predict` are recorded, by their texts. */
export function recordOutputs(input: GuidanceInput): {
  readonly input: GuidanceInput;
  readonly outputs: ReadonlyMap<TextEmbedding, Float32Array>;
} {
  const outputs = new Map<TextEmbedding, Float32Array>();
  const predict = async (texts: readonly TextEmbedding[]) => {
    const results = await input.predict(texts);
    for (const [i, text] of texts.entries()) outputs.set(text, results[i]);
    return results;
  };
  return { input: { ...input, predict }, outputs };
}

function compose(
  texts: readonly WeightedText[],
  outputs: readonly Float32Array[],
  negativeOutput: Float32Array = outputs[0],
): Float32Array {
  if (texts.length === 1 && texts[0].weight === 1) return outputs[0];
  const rest = negativeWeight(texts);
  return negativeOutput.map((value, i) =>
    texts.reduce((sum, { weight }, k) => sum + weight * outputs[k][i], rest * value),
  );
}

/** The negative output's weight in a composition: 1 minus the sum of the others. */
function negativeWeight(texts: readonly WeightedText[]): number {
  const rest = texts.reduce((left, { weight }) => left - weight, 1);
  return Math.abs(rest) < 1e-6 ? 0 : rest;
}
