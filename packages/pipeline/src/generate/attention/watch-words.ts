import { InvalidOptionError, lazyImport, type NoisePredictor, type TextEmbedding, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { CheckpointUnet } from '@sd/unet';
import { totalSteps } from '../initial/passes.js';
import type { AttentionMapOptions } from '../options/attention.js';
import type { Texts } from '../prompts/index.js';
import type { Run } from '../run-context.js';
import type { AttentionMap } from './attention-map.js';
import { promptWords } from './prompt-words.js';

/** Gathers the attention to the words of the prompt while one image is denoised. */
export interface WatchedImage {
  readonly noisePredictor: NoisePredictor;
  /** Marks the samples of the positive prompts, in the steps that count, of a pass whose first step is `firstStep`. */
  condition(firstStep: number): Condition;
  /** The words' maps at this size of latents. */
  maps(height: number, width: number): AttentionMap[];
}

/**
 * Starts to gather maps for the images of a run; undefined if the run does not ask for them. Rejects with an
 * InvalidOptionError for steps, layers or words that it does not have, and an UnsupportedError for a tokenizer that cannot
 * tell the words of a text apart.
 */
export async function watchWords(run: Run, texts: Texts): Promise<(() => WatchedImage) | undefined> {
  const { attention, request, stages } = run;
  if (attention === undefined) return undefined;
  const { attentionMaps } = request.options;
  const options: AttentionMapOptions = typeof attentionMaps === 'object' ? attentionMaps : {};
  checkSteps(options.steps, totalSteps(request));
  const steps = options.steps && new Set(options.steps);
  const { heatMaps, layersNamed, mappedSamples, watchAttention } = await lazyImport(() => import('@sd/unet/attention'));
  const layers =
    options.layers === undefined
      ? attention.layers
      : layersNamed(attention.layers, options.layers, 'attentionMaps.layers');
  const { words, places } = await promptWords(texts, request.passes, options.words);

  return () => {
    const sums = heatMaps<string>();
    // The call's marked samples, which its condition knows and its maps are of.
    let marked: readonly TextEmbedding[] = [];
    return {
      noisePredictor: watchAttention(stages.noisePredictor as CheckpointUnet, layers, (maps) => {
        for (const [layer, ofLayer] of maps) {
          for (const [row, text] of marked.entries()) sums.add(layer, ofLayer, row, places.get(text)!);
        }
      }),
      condition: (firstStep) => (call) => {
        const counts = steps?.has(firstStep + call.progress.step) ?? true;
        const marks = call.texts.map((text) => counts && places.has(text));
        marked = call.texts.filter((_, i) => marks[i]);
        return { [mappedSamples]: tensor('float32', [marks.length], Float32Array.from(marks, Number)) };
      },
      maps: (height, width) =>
        [...words].flatMap(([key, word]) => {
          const data = sums.mapOf(key, [height, width]);
          return data === undefined ? [] : [{ ...word, width, height, data }];
        }),
    };
  };
}

function checkSteps(steps: readonly number[] = [], total: number): void {
  const beyond = steps.find((step) => step >= total);
  if (beyond === undefined) return;
  throw new InvalidOptionError(
    'attentionMaps.steps',
    `has ${beyond}, but the steps of this run are 0 to ${total - 1}.`,
  );
}
