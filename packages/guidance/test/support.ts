import { readFileSync } from 'node:fs';
import { type Prediction, type TextEmbedding, tensor } from '@sd/core';
import type { Guidance, GuidanceInput, WeightedText } from '../src/index.js';

/** What data/make_guidance.py wrote: values of each of a run's calls. */
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
const blind = text(-2);
export const [positive, second] = [text(1), text(2)];
const names = new Map([
  [positive, 'positive'],
  [second, 'second'],
  [negative, 'negative'],
  [blind, 'blind'],
] as const);

export interface Guided {
  readonly outputs: number[][];
  /** For which texts the model was asked, call by call. */
  readonly asked: string[][];
}

export interface Run {
  readonly prompts?: readonly WeightedText[];
  readonly prediction?: Prediction;
  /** sigma / alpha of each call, in place of the figures'. */
  readonly ratios?: readonly number[];
  /** Is the model shown a picture? */
  readonly shown?: boolean;
}

export const alone: readonly WeightedText[] = [{ embedding: positive, weight: 1 }];

/** One picture, guided: the figures' outputs for its texts, call by call. */
export async function guided(guidance: Guidance, { prompts = alone, prediction = 'v', ratios, shown }: Run = {}) {
  const guide = guidance();
  const result: Guided = { outputs: [], asked: [] };
  for (let i = 0; i < figures.sigmas.length; i++) {
    const asked: string[] = [];
    const level = { alpha: ratios ? 1 : figures.alphas[i], sigma: (ratios ?? figures.sigmas)[i], timestep: i };
    const input: GuidanceInput = {
      x: Float32Array.from(figures.x[i]),
      level,
      prediction,
      positive: prompts,
      negative,
      ...(shown && { blind }),
      async predict(texts) {
        asked.push(texts.map((one) => names.get(one)).join());
        return texts.map((one) => blindly(one, figures[names.get(one === blind ? negative : one)! as 'negative'][i]));
      },
    };
    result.outputs.push([...(await guide(input))]);
    result.asked.push(asked);
  }
  return result;
}

/** Without its picture, the model says half of what it says of the negative prompt. */
function blindly(text: TextEmbedding, values: readonly number[]): Float32Array {
  return Float32Array.from(values, (value) => (text === blind ? value / 2 : value));
}
