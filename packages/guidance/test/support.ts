import { readFileSync } from 'node:fs';
import { type Prediction, type TextEmbedding, tensor } from '@sd/core';
import type { Guidance, GuidanceInput, WeightedText } from '../src/index.js';

/** Written by data/make_guidance.py: values for each call of a run. */
interface Figures {
  readonly alphas: readonly number[];
  readonly sigmas: readonly number[];
  readonly x: readonly number[][];
  readonly positive: readonly number[][];
  readonly second: readonly number[][];
  readonly negative: readonly number[][];
  readonly outputs: Readonly<Record<string, readonly number[][]>>;
}

const file = new URL('./data/guidance.json', import.meta.url);
export const figures: Figures = JSON.parse(readFileSync(file, 'utf8'));

const text = (value: number): TextEmbedding => ({ hidden: tensor('float32', [1, 1], Float32Array.of(value)) });
const negative = text(-1);
const withoutImage = text(-2);
export const [positive, second] = [text(1), text(2)];
const names = new Map([
  [positive, 'positive'],
  [second, 'second'],
  [negative, 'negative'],
  [withoutImage, 'withoutImage'],
] as const);

export interface Guided {
  readonly outputs: number[][];
  /** The texts that the model was called for, step by step. */
  readonly calls: string[][];
}

export interface Run {
  readonly prompts?: readonly WeightedText[];
  readonly prediction?: Prediction;
  /** sigma / alpha of each step, in place of the figures'. */
  readonly ratios?: readonly number[];
  /** Whether the model takes an image as extra channels. */
  readonly takesImage?: boolean;
}

export const positiveOnly: readonly WeightedText[] = [{ embedding: positive, weight: 1 }];

/** Guides one image, with the figures as the model's outputs. */
export async function guided(
  guidance: Guidance,
  { prompts = positiveOnly, prediction = 'v', ratios, takesImage }: Run = {},
) {
  const guide = guidance();
  const result: Guided = { outputs: [], calls: [] };
  for (let i = 0; i < figures.sigmas.length; i++) {
    const calls: string[] = [];
    const level = { alpha: ratios ? 1 : figures.alphas[i], sigma: (ratios ?? figures.sigmas)[i], timestep: i };
    const input: GuidanceInput = {
      x: Float32Array.from(figures.x[i]),
      level,
      prediction,
      positive: prompts,
      negative,
      withoutImage: takesImage ? withoutImage : undefined,
      async predict(texts) {
        calls.push(texts.map((text) => names.get(text)).join());
        return texts.map((text) => outputFor(text, i));
      },
    };
    result.outputs.push([...(await guide(input))]);
    result.calls.push(calls);
  }
  return result;
}

/** The figures' output for a text; without the image, half of the output for the negative prompt. */
function outputFor(text: TextEmbedding, step: number): Float32Array {
  if (text === withoutImage) return Float32Array.from(figures.negative[step], (value) => value / 2);
  return Float32Array.from(figures[names.get(text) as 'positive'][step]);
}
