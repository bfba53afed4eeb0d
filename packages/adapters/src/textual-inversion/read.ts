import { barrier, CheckpointError, settleAll, type Tensor, tensor } from '@sd/core';
import { readValues, type TensorView, type WeightsFile } from '@sd/weights';
import { wordsIn } from './words.js';

/** Vectors of a word that text encoders learned later: textual inversion, arXiv 2208.01618. */
export interface TextualInversion {
  /** The word in prompts, if the file names it: `<cat-toy>`. Each word of a file with several has one. */
  readonly word: string | undefined;
  /** By the text encoder's component, [count, width] each: `text_encoder`, and `text_encoder_2` of SDXL. */
  readonly vectors: ReadonlyMap<string, Tensor<'float32'>>;
}

/**
 * Reads a textual inversion as users have them, one for each word: diffusers' file (tensors named as the words), A1111's
 * `emb_params`, `clip_l` and `clip_g` of SDXL, and A1111's .pt (`string_to_param`). Throws a SourceError, or a
 * CheckpointError for any other file.
 */
export function readTextualInversion(file: WeightsFile): Promise<readonly TextualInversion[]> {
  return barrier('readTextualInversion()', () => readWords(file));
}

async function readWords(file: WeightsFile): Promise<readonly TextualInversion[]> {
  const { path, tensors } = file;
  const found = wordsIn(file);
  if (found === undefined) {
    const [first = 'none'] = tensors.keys();
    throw new CheckpointError(
      'bad-checkpoint',
      path,
      `is not a textual inversion: it has neither emb_params nor clip_l, clip_g or string_to_param, and its tensors are not named as words (the first is ${first}).`,
    );
  }
  return settleAll(
    found.words.map(({ word, views }) => async () => {
      const vectors = new Map<string, Tensor<'float32'>>();
      for (const [component, view] of views) vectors.set(component, await vectorsOf(file, view));
      return { word, vectors };
    }),
  );
}

async function vectorsOf(file: WeightsFile, view: TensorView): Promise<Tensor<'float32'>> {
  const { shape, name } = view;
  const width = shape.at(-1);
  if (width === undefined || shape.length > 2 || shape.includes(0)) {
    throw new CheckpointError(
      'misshapen-tensor',
      file.path,
      `the tensor ${name} of shape [${shape}] is no list of vectors.`,
      {
        tensor: name,
      },
    );
  }
  return tensor('float32', [shape.length === 2 ? shape[0] : 1, width], await readValues(file, view));
}
