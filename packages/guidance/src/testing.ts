import { type NoiseLevel, type Prediction, type TextEmbedding, tensor } from '@sd/core';
import { type ConformanceCase, conforms, rejection } from '@sd/core/testing';
import type { Guidance, GuidanceInput, Guide } from './guidance.js';

/** Noise levels of a run, from pure noise to almost none. */
const levels: readonly NoiseLevel[] = [1, 0.995, 0.8, 0.6, 0.28, 0.05].map((sigma) => ({
  alpha: Math.sqrt(1 - sigma * sigma),
  sigma,
  timestep: Math.round(999 * sigma),
}));
const flowLevels: readonly NoiseLevel[] = levels.map(({ sigma, timestep }) => ({ alpha: 1 - sigma, sigma, timestep }));

/**
 * The requirements for every guidance, as cases for any test runner. `make` is the guidance itself, which makes a guide for
 * each image.
 */
export function guidanceSuite(make: Guidance): ConformanceCase[] {
  const predictions: readonly Prediction[] = ['epsilon', 'v', 'sample', 'flow'];
  return [
    ...predictions.flatMap((prediction) =>
      [1, 3].map((prompts) => ({
        name: `guides a run of ${prediction} with ${prompts === 1 ? 'one prompt' : `${prompts} prompts`}`,
        run: async () => {
          for (const output of await outputsOf(make(), runInputs({ prediction, prompts }))) {
            conforms(output instanceof Float32Array, 'The output must be a Float32Array.');
            conforms(output.length === size, `The output must have ${size} values as x has, not ${output.length}.`);
            conforms(output.every(Number.isFinite), 'The output must be finite.');
          }
        },
      })),
    ),
    {
      name: 'leaves its inputs unchanged',
      run: async () => {
        const given: Float32Array[] = [];
        const before: Float32Array[] = [];
        const keep = (values: Float32Array) => {
          given.push(values);
          before.push(values.slice());
        };
        const inputs = runInputs({ prompts: 2 }).map((input): GuidanceInput => {
          keep(input.x);
          for (const text of [input.negative, ...input.positive.map(({ embedding }) => embedding)]) {
            keep(text.hidden.data);
          }
          return {
            ...input,
            async predict(texts) {
              const outputs = await input.predict(texts);
              outputs.forEach(keep);
              return outputs;
            },
          };
        });
        await outputsOf(make(), inputs);
        conforms(
          given.every((values, i) => same(values, before[i])),
          'x, the texts and the outputs of predict must not be changed.',
        );
      },
    },
    {
      name: 'keeps images independent',
      run: async () => {
        const [first, second] = [runInputs({ seed: 1 }), runInputs({ seed: 2 })];
        const alone = await outputsOf(make(), first);
        const [guide, other] = [make(), make()];
        for (const [i, input] of first.entries()) {
          await other(second[i]);
          conforms(
            same(await guide(input), alone[i]),
            'An image must not depend on earlier or concurrent ones: keep state in the guide, not in the guidance.',
          );
        }
      },
    },
    {
      name: 'passes on errors of predict',
      run: async () => {
        const broken = new Error('The model is broken.');
        const predict = async () => {
          throw broken;
        };
        // Over a whole run, since a guidance may call the model only at some of its steps.
        const error = await rejection('A run whose model rejects', () =>
          outputsOf(
            make(),
            runInputs({}).map((input) => ({ ...input, predict })),
          ),
        );
        conforms(error === broken, `The error must be what predict rejected with, not ${error}.`);
      },
    },
  ];
}

const size = 48;

async function outputsOf(guide: Guide, inputs: readonly GuidanceInput[]): Promise<Float32Array[]> {
  const outputs: Float32Array[] = [];
  for (const input of inputs) outputs.push(await guide(input));
  return outputs;
}

/** The inputs of a guide over one run. */
function runInputs({
  prediction = 'v',
  prompts = 1,
  seed = 0,
}: {
  prediction?: Prediction;
  prompts?: number;
  seed?: number;
}): GuidanceInput[] {
  const positive = Array.from({ length: prompts }, (_, i) => ({ embedding: text(i + 1), weight: [1, 0.5, -0.7][i] }));
  const negative = text(-1);
  const withoutImage = text(-2);
  // At an alpha of 0, epsilon does not determine x0.
  const from = prediction === 'epsilon' ? 1 : 0;
  return (prediction === 'flow' ? flowLevels : levels).slice(from).map((level) => {
    const x = waves(1.7 + seed + level.sigma);
    const predict = async (texts: readonly TextEmbedding[]) =>
      texts.map(({ hidden }) => waves(1.1 + seed + level.sigma + hidden.data[0] / 7));
    return { x, level, prediction, positive, negative, withoutImage, predict };
  });
}

function text(value: number): TextEmbedding {
  return { hidden: tensor('float32', [1, 1], Float32Array.of(value)) };
}

function waves(frequency: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(frequency * (i + 1)));
}

function same(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
