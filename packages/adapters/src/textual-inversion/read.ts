import { CheckpointError, type Source, type Tensor, tensor } from '@sd/core';
import { openPickle, openWeights, type TensorView, toFloat32 } from '@sd/weights';

/** Vectors of a word that a text encoder learned later, [count, width]: textual inversion, arXiv 2208.01618. */
export interface TextualInversion {
  /** The word in prompts, where the file tells: `<cat-toy>`. */
  readonly word: string | undefined;
  readonly textEncoder: Tensor<'float32'> | undefined;
  /** For the second of SDXL's text encoders. */
  readonly textEncoder2: Tensor<'float32'> | undefined;
}

/**
 * Reads a textual inversion as users have them: diffusers' file (one tensor, named as the word), A1111's `emb_params`,
 * `clip_l` and `clip_g` of SDXL, and A1111's .pt (`string_to_param`). Throws a SourceError, or a CheckpointError for what
 * is none.
 */
export async function readTextualInversion(source: Source, path: string): Promise<TextualInversion> {
  const { word, first, second } = await viewsIn(source, path);
  return {
    word,
    textEncoder: first && (await vectorsOf(path, first)),
    textEncoder2: second && (await vectorsOf(path, second)),
  };
}

interface Views {
  readonly word?: string;
  readonly first?: TensorView | undefined;
  readonly second?: TensorView | undefined;
}

async function viewsIn(source: Source, path: string): Promise<Views> {
  if (!/\.safetensors$/i.test(path)) {
    const { value } = await openPickle(source, path);
    const saved = value instanceof Map ? value : new Map<unknown, unknown>();
    const params = saved.get('string_to_param');
    if (params instanceof Map) return { first: firstOf(path, params) };
  }
  const { tensors } = await openWeights(source, path);
  const [first, second] = [tensors.get('clip_l'), tensors.get('clip_g')];
  if (first !== undefined || second !== undefined) return { first, second };
  const params = tensors.get('emb_params');
  if (params !== undefined) return { first: params };
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
  if (typeof first === 'object' && first !== null && 'dtype' in first) return first as TensorView;
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
