import { TensorError, type TextEmbedding, tensor } from '@sd/core';
import { guidanceEmbedding, type ModelCall, singleCall } from '@sd/guidance';
import { expect, test } from 'vitest';
import { relativeError } from '../../../../fixtures/golden.js';
import { microConditioning } from '../../src/families/sdxl/time-ids.js';

const text = (value: number, hasPooled = true): TextEmbedding => ({
  hidden: tensor('float32', [1, 1]),
  pooled: hasPooled ? tensor('float32', [2], Float32Array.of(value, -value)) : undefined,
});
const [first, second, negative] = [text(1), text(2), text(3)];
const callOf = (texts: readonly TextEmbedding[]): ModelCall => ({
  sample: tensor('float32', [texts.length, 4, 1, 1]),
  context: tensor('float32', [texts.length, 1, 1]),
  timestep: 1,
  progress: singleCall,
  texts,
  negative,
});

// diffusers 0.42: LatentConsistencyModelPipeline.get_guidance_scale_embedding(None, torch.tensor([scale - 1]), width)
test.each([
  [
    8.5,
    [
      -0.8512358665466309, 0.9859007596969604, -0.5560736656188965, 0.28509554266929626, 0.9115152955055237,
      -0.8395416140556335, 0.3390398919582367, 0.6816387176513672, -0.5247832536697388, 0.16733109951019287,
      0.8311330080032349, 0.9584991335868835, 0.41126611828804016, -0.5432953238487244, -0.9407719969749451,
      0.731688916683197,
    ],
  ],
  [
    1.7,
    [
      0.54397052526474, 0.6569865942001343, 0.06994283944368362, -0.8391042947769165, 0.7539022564888,
      0.9975510239601135, 0,
    ],
  ],
])('embeds the guidance scale %f in sinusoids, for each text', async (scale, want) => {
  const condition = guidanceEmbedding({ scale, width: want.length });
  const { timestep_cond } = await condition(callOf([first, second]));
  expect(timestep_cond.dims).toEqual([2, want.length]);
  expect(relativeError(timestep_cond.data, [...want, ...want])).toBeLessThan(1e-4);
});

const positive = {
  originalSize: { width: 640, height: 480 },
  cropTopLeft: { top: 1, left: 2 },
  targetSize: { width: 1024, height: 768 },
};
const negativeSizes = { ...positive, originalSize: { width: 64, height: 32 } };

test('pooled embeddings and sizes, heights first, with different sizes for the negative prompt', async () => {
  const condition = microConditioning({ positive, negative: negativeSizes });
  const { text_embeds, time_ids } = await condition(callOf([negative, first, second]));
  expect(text_embeds).toEqual(tensor('float32', [3, 2], Float32Array.of(3, -3, 1, -1, 2, -2)));
  expect(time_ids.dims).toEqual([3, 6]);
  const [positiveIds, negativeIds] = [
    [480, 640, 1, 2, 768, 1024],
    [32, 64, 1, 2, 768, 1024],
  ];
  expect([...time_ids.data]).toEqual([...negativeIds, ...positiveIds, ...positiveIds]);
});

test('the refiner takes a score in place of the target size', async () => {
  const condition = microConditioning({
    positive: { ...positive, aestheticScore: 6 },
    negative: { ...positive, aestheticScore: 2.5 },
  });
  const { time_ids } = await condition(callOf([negative, first]));
  expect(time_ids).toEqual(tensor('float32', [2, 5], Float32Array.of(480, 640, 1, 2, 2.5, 480, 640, 1, 2, 6)));
});

test('refuses a text without a pooled embedding', () => {
  const condition = microConditioning({ positive, negative: negativeSizes });
  expect(() => condition(callOf([text(1, false)]))).toThrow(TensorError);
});
