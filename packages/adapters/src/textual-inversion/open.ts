import {
  CheckpointError,
  InvalidOptionError,
  isCheckpointStage,
  show,
  type Tensor,
  tensor,
  type Warning,
} from '@sd/core';
import { describe } from '@sd/core/options';
import type { AdaptedModel, Adapter, AdapterFile, AttachContext } from '../adapter.js';
import type { ModelFamily } from '../family.js';
import { requireWeights } from '../requirements.js';
import { unusedTensors } from '../warnings.js';
import { readTextualInversion, type TextualInversion } from './read.js';

/**
 * Opens a textual inversion. Prompts call its word by the name that it was attached as, or by the word that its file has for
 * it; of a file with several, each by its own.
 */
export async function openTextualInversion(file: AdapterFile, { model, families }: AttachContext): Promise<Adapter> {
  const { name } = file;
  const weights = requireWeights(file);
  const inversions = await readTextualInversion(weights);
  for (const { vectors } of inversions) {
    for (const [component, learned] of vectors) expectWidth(weights.path, learned, { component, model, families });
  }
  const isOnly = inversions.length === 1;
  const taught = inversions.map(({ word = name, vectors }) => ({
    words: [...new Set(isOnly ? [name, word] : [word])],
    vectors,
  }));
  return {
    name,
    kind: 'textual-inversion',
    extensions: {},
    use(settings = 1, option) {
      const strength = readStrength(option, settings);
      return {
        words: (component) =>
          taught.flatMap(({ words, vectors }) => {
            const learned = vectors.get(component);
            return learned ? [{ words, vectors: strength === 1 ? learned : scaled(learned, strength) }] : [];
          }),
      };
    },
    warnings: () => [
      ...untaught(isOnly ? [name] : taught.flatMap(({ words }) => words), inversions, model),
      // Stable Diffusion 3's T5 has no trained words.
      ...unusedTensors([...weights.tensors.keys()].filter((tensor) => tensor === 't5xxl')),
    ],
  };
}

/** The factor of the vectors. */
function readStrength(option: string, strength: unknown): number {
  if (typeof strength === 'number' && Number.isFinite(strength)) return strength;
  throw new InvalidOptionError(
    option,
    `must be a finite number, not ${describe(strength)}: text is encoded once, before the first step.`,
  );
}

function scaled({ dims, data }: Tensor<'float32'>, factor: number): Tensor<'float32'> {
  return tensor(
    'float32',
    dims,
    data.map((value) => value * factor),
  );
}

/** Names in files of SDXL, by the encoder that the vectors are for. */
const fileNames: Readonly<Record<string, readonly [ordinal: string, name: string]>> = {
  text_encoder: ['first', 'clip_l'],
  text_encoder_2: ['second', 'clip_g'],
};

/** For a model of several text encoders a file may have vectors for one only. */
function untaught(
  words: readonly string[],
  inversions: readonly TextualInversion[],
  { textEncoders }: AdaptedModel,
): Warning[] {
  return [...textEncoders.keys()].flatMap((component) => {
    const isTaught = inversions.some(({ vectors }) => vectors.has(component));
    if (isTaught || !Object.hasOwn(fileNames, component)) return [];
    const [ordinal, fileName] = fileNames[component];
    const named = words.map(show).join(', ');
    return {
      code: 'encoder-untaught',
      message: `The file has no vectors for the ${ordinal} text encoder, ${fileName}: it reads ${named} as ordinary text.`,
    };
  });
}

interface Target {
  readonly component: string;
  readonly model: AdaptedModel;
  readonly families: readonly ModelFamily[];
}

/** Throws a CheckpointError where the model has no such text encoder, or one of another width. */
function expectWidth(file: string, vectors: Tensor<'float32'>, { component, model, families }: Target): void {
  const encoder = model.textEncoders.get(component);
  if (encoder === undefined) {
    throw new CheckpointError(
      'misshapen-tensor',
      file,
      `is for a model with two text encoders, as SDXL has. This one has one.`,
    );
  }
  if (!isCheckpointStage(encoder)) {
    throw new InvalidOptionError(
      'attach',
      'needs a text encoder that was loaded from a checkpoint, not one of your own.',
    );
  }
  const { width: expected } = encoder.config as { readonly width: number };
  const width = vectors.dims[1];
  if (width === expected) return;
  const titles = families
    .filter(({ textWidths }) => Object.values(textWidths).includes(width))
    .map(({ title }) => title);
  const origin = titles.length === 0 ? '' : ` It was made for ${titles.join(' or ')}.`;
  throw new CheckpointError(
    'misshapen-tensor',
    file,
    `has vectors of ${width} values, but this text encoder’s have ${expected}.${origin}`,
  );
}
