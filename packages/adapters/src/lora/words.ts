import { CheckpointError, isCheckpointStage, type Tensor, tensor } from '@sd/core';
import { readValues, type TensorView, type WeightsFile } from '@sd/weights';
import type { AdaptedModel, LearnedWords } from '../adapter.js';

/** OneTrainer's embeddings inside a LoRA: `bundle_emb.rose.string_to_param.*`, or `.clip_l` and `.clip_g` for SDXL. */
const bundled = /^bundle_emb\.(.+)\.(string_to_param\.\*|clip_l|clip_g)$/;

/** A word and the tensor of its vectors for one text encoder. */
export interface BundledWord {
  readonly component: 'text_encoder' | 'text_encoder_2';
  readonly word: string;
  readonly view: TensorView;
}

/** The words that are bundled in a file, by their tensors' names. */
export function bundledWords({ tensors }: WeightsFile): ReadonlyMap<string, BundledWord> {
  const words = [...tensors].flatMap(([name, view]): [string, BundledWord][] => {
    const [, word, kind] = bundled.exec(name) ?? [];
    if (word === undefined) return [];
    return [[name, { component: kind === 'clip_g' ? 'text_encoder_2' : 'text_encoder', word, view }]];
  });
  return new Map(words);
}

export interface TaughtWords {
  /** By the text encoder's component. */
  readonly words: ReadonlyMap<string, readonly LearnedWords[]>;
  /** Names of the tensors for text encoders that the model does not have, or that cannot learn words. */
  readonly unused: readonly string[];
}

/** Reads the vectors of words for a model's text encoders. Rejects with a CheckpointError for vectors of another width. */
export async function readWords(file: WeightsFile, { textEncoders }: AdaptedModel): Promise<TaughtWords> {
  const words = new Map<string, LearnedWords[]>();
  const unused: string[] = [];
  for (const [name, { component, word, view }] of bundledWords(file)) {
    const encoder = textEncoders.get(component);
    if (encoder === undefined || !isCheckpointStage(encoder)) {
      unused.push(name);
      continue;
    }
    const { width } = encoder.config as { readonly width: number };
    const vectors = await vectorsOf(file, name, view, width);
    words.set(component, [...(words.get(component) ?? []), { words: [word], vectors }]);
  }
  return { words, unused };
}

async function vectorsOf(file: WeightsFile, name: string, view: TensorView, width: number): Promise<Tensor<'float32'>> {
  const { shape } = view;
  if (shape.at(-1) !== width || shape.length > 2 || shape[0] === 0) {
    throw new CheckpointError(
      'misshapen-tensor',
      file.path,
      `has vectors of shape [${shape.join(', ')}] in ${name}, but this text encoder’s have ${width} values.`,
      { tensor: name },
    );
  }
  return tensor('float32', [shape.length === 2 ? shape[0] : 1, width], await readValues(file, view));
}
