import { CheckpointError, type Tensor, tensor } from '@sd/core';
import { isTensorView, type TensorView, toFloat32, type WeightsFile } from '@sd/weights';

/** Vectors of a word that text encoders learned later: textual inversion, arXiv 2208.01618. */
export interface TextualInversion {
  /** The word in prompts, where the file tells: `<cat-toy>`. */
  readonly word: string | undefined;
  /** By the text encoder's component, [count, width] each: `text_encoder`, and `text_encoder_2` of SDXL. */
  readonly vectors: ReadonlyMap<string, Tensor<'float32'>>;
}

/**
 * Reads a textual inversion as users have them: diffusers' file (one tensor, named as the word), A1111's `emb_params`,
 * `clip_l` and `clip_g` of SDXL, and A1111's .pt (`string_to_param`). Throws a SourceError, or a CheckpointError for what
 * is none.
 */
export async function readTextualInversion(file: WeightsFile): Promise<TextualInversion> {
  const { word, first, second } = viewsIn(file);
  const vectors = new Map<string, Tensor<'float32'>>();
  if (first !== undefined) vectors.set('text_encoder', await vectorsOf(file.path, first));
  if (second !== undefined) vectors.set('text_encoder_2', await vectorsOf(file.path, second));
  return { word, vectors };
}

interface Views {
  readonly word?: string;
  readonly first?: TensorView | undefined;
  readonly second?: TensorView | undefined;
}

function viewsIn({ path, tensors, pickled }: WeightsFile): Views {
  const params = pickled instanceof Map ? pickled.get('string_to_param') : undefined;
  if (params instanceof Map) return { first: firstOf(path, params) };
  const [first, second] = [tensors.get('clip_l'), tensors.get('clip_g')];
  if (first !== undefined || second !== undefined) return { first, second };
  const saved = tensors.get('emb_params');
  if (saved !== undefined) return { first: saved };
  const [only, ...others] = tensors;
  if (only !== undefined && others.length === 0) return { word: only[0], first: only[1] };
  throw new CheckpointError(
    'bad-checkpoint',
    path,
    `is no textual inversion: it has ${tensors.size} tensors, and neither emb_params nor clip_l or clip_g among them.`,
  );
}

/** A1111's files have one word, `*`. */
function firstOf(path: string, params: ReadonlyMap<unknown, unknown>): TensorView {
  const [first] = params.values();
  if (isTensorView(first)) return first;
  throw new CheckpointError(
    'bad-checkpoint',
    path,
    `is no textual inversion: its string_to_param has no tensor. Save it again, or take its .safetensors file.`,
  );
}

async function vectorsOf(path: string, view: TensorView): Promise<Tensor<'float32'>> {
  const { shape, dtype, file, offset, length, name } = view;
  const width = shape.at(-1);
  if (width === undefined || shape.length > 2) {
    throw new CheckpointError(
      'misshapen-tensor',
      path,
      `the tensor ${name} of shape [${shape}] is no list of vectors.`,
      {
        tensor: name,
      },
    );
  }
  const bytes = (await file.read()).subarray(offset, offset + length);
  return tensor('float32', [shape.length === 2 ? shape[0] : 1, width], toFloat32(dtype, bytes));
}
