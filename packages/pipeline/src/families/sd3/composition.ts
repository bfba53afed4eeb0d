import { type CheckpointStage, stack, TensorError, type TextEmbedding, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { MmditConfig } from '@sd/mmdit';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { Stages } from '../../stages.js';
import { textComponents } from '../compositions.js';
import type { Composition, UsualDefaults } from '../family.js';
import { sideBySide } from '../side-by-side.js';

export const sd3Defaults: UsualDefaults = { steps: 28, guidanceScale: 7 };

/** Number of zero tokens in place of T5's if a model lacks it, as in diffusers. */
const t5Tokens = 256;

/** Context width of the published models: that of T5 XXL. */
const publishedContextWidth = 4096;

/**
 * The composition of Stable Diffusion 3. Context: the hidden states of both CLIP models, concatenated along the width and
 * zero-padded to T5's width, followed by T5's tokens. Pooled: the pooled embeddings of both CLIP models, concatenated.
 * @see diffusers' `StableDiffusion3Pipeline.encode_prompt`
 */
export function sd3Composition(stages: Stages): Composition {
  const { config }: Partial<CheckpointStage<MmditConfig>> = stages.noisePredictor;
  const { contextWidth = publishedContextWidth, patchSize = 2 } = config ?? {};
  return {
    family: 'sd3',
    noisePredictor: 'transformer',
    textEncoders: textComponents(stages, 'penultimate').map((encoder, i) =>
      i < 2 ? encoder : { ...encoder, output: 'normalized', ignoresWeights: true },
    ),
    combine: ([first, second, t5]) => combineTexts([first, second], t5, contextWidth),
    clipSkipForNegative: false,
    zeroNegative: false,
    defaults: sd3Defaults,
    // diffusers rounds down the number of skipped steps here, but the number of steps taken in older families.
    stepsFor: (steps, strength) => steps - Math.trunc(Math.max(steps - Math.min(steps * strength, steps), 0)),
    sideMultiple: stages.vae.scaleFactor * patchSize,
    options: {},
    condition: () => pooledProjections,
  };
}

function combineTexts(
  clips: readonly [EncodedText, EncodedText],
  t5: EncodedText | undefined,
  width: number,
): TextEmbedding {
  const { hidden: clip } = sideBySide(clips);
  const [clipTokens, clipWidth] = clip.dims;
  const text = t5?.embedding.hidden ?? tensor('float32', [t5Tokens, width]);
  const hidden = tensor('float32', [clipTokens + text.dims[0], width]);
  for (let token = 0; token < clipTokens; token++) {
    hidden.data.set(clip.data.subarray(token * clipWidth, (token + 1) * clipWidth), token * width);
  }
  hidden.data.set(text.data, clipTokens * width);
  const pooled = Float32Array.of(...clips.flatMap(({ embedding }) => [...(embedding.pooled?.data ?? [])]));
  return { hidden, pooled: tensor('float32', [pooled.length], pooled) };
}

/** The pooled text embeddings, as the transformer's input. */
const pooledProjections: Condition = ({ texts }) => ({
  pooled_projections: stack(texts.map(({ pooled }) => pooled ?? missingPooled())),
});

function missingPooled(): never {
  throw new TensorError(
    'bad-tensor',
    'The transformer needs pooled text embeddings, but the text encoders returned none.',
  );
}
