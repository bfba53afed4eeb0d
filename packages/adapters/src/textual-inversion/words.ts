import type { TensorView, WeightsFile } from '@sd/weights';

/** Vectors of one word in a file, not yet read. */
export interface WordViews {
  /** The word in prompts, if the file names it: `<cat-toy>`. */
  readonly word: string | undefined;
  /** By the text encoder's component: `text_encoder`, and `text_encoder_2` of SDXL. */
  readonly views: ReadonlyMap<string, TensorView>;
}

/** How a file stores its words, and their vectors. */
export interface FoundWords {
  readonly layout: 'A1111' | 'diffusers';
  readonly words: readonly [WordViews, ...WordViews[]];
}

/** Names of the vectors of one word for several encoders: ComfyUI's, and those of diffusers' training of SDXL. */
const byEncoder: Readonly<Record<string, string>> = {
  clip_l: 'text_encoder',
  clip_g: 'text_encoder_2',
  text_encoders_0: 'text_encoder',
  text_encoders_1: 'text_encoder_2',
};

/** The limit for a word: CLIP's window has 75 tokens between its start and its end. */
const mostVectors = 75;

/**
 * The words of a textual inversion, by the names and shapes of its tensors: A1111's .pt (`string_to_param`) and `emb_params`,
 * pairs for two text encoders, or tensors that are named as their words. Undefined for a file of another kind.
 */
export function wordsIn({ tensors }: Pick<WeightsFile, 'tensors'>): FoundWords | undefined {
  const pairs = [...tensors].flatMap(([name, view]): [string, TensorView][] =>
    Object.hasOwn(byEncoder, name) ? [[byEncoder[name], view]] : [],
  );
  if (pairs.length > 0) return { layout: 'A1111', words: [{ word: undefined, views: new Map(pairs) }] };
  const single = tensors.get('emb_params');
  if (single !== undefined) return found('A1111', [[undefined, single]]);
  const saved = [...tensors].flatMap(([name, view]): [string, TensorView][] => {
    const word = /^string_to_param\.([\s\S]*)$/.exec(name)?.[1];
    return word === undefined ? [] : [[word, view]];
  });
  // A1111's name for the only word of every file.
  if (saved.length > 0)
    return found('A1111', saved.length === 1 && saved[0][0] === '*' ? [[undefined, saved[0][1]]] : saved);
  const widths = new Set([...tensors.values()].map(({ shape }) => shape.at(-1)));
  const areWords = widths.size === 1 && [...tensors].every(([name, view]) => isWord(name, view));
  return areWords ? found('diffusers', [...tensors]) : undefined;
}

function found(
  layout: FoundWords['layout'],
  entries: readonly (readonly [string | undefined, TensorView])[],
): FoundWords | undefined {
  const [first, ...others] = entries.map(([word, view]) => ({ word, views: new Map([['text_encoder', view]]) }));
  return first && { layout, words: [first, ...others] };
}

/** Whether a tensor is named as a word, not as a layer's: a word with a dot has punctuation at its ends, `<a.b>`. */
function isWord(name: string, { shape }: TensorView): boolean {
  const isNamedSo = name !== '' && (!name.includes('.') || /^[^\p{L}\p{N}_][\s\S]*[^\p{L}\p{N}_]$/u.test(name));
  return isNamedSo && (shape.length === 1 || (shape.length === 2 && shape[0] <= mostVectors));
}
