import { type CheckpointStage, stack, TensorError, type TextEmbedding, tensor } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { MmditConfig } from '@sd/mmdit';
import type { EncodedText } from '@sd/tokenizer/embedding';
import type { Stages } from '../../stages.js';
import { textComponents } from '../compositions.js';
import type { Composition } from '../family.js';
import { sideBySide } from '../side-by-side.js';

/** The tokens that stand in for T5's where a model comes without it, as diffusers has it. */
const t5Tokens = 256;

/** Width of the published models' context: T5 XXL's. */
const publishedContextWidth = 4096;

/**
 * Stable Diffusion 3's runs: the hidden states of both CLIP models side by side, padded with zeros to T5's width, followed by
 * T5's; the pooled vectors of both CLIP models, one after the other.
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
    defaults: { steps: 28, guidanceScale: 7 },
    // diffusers rounds down the steps that are left out, where the older families round down those that are taken.
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

/** The pooled texts as an input of the transformer. */
const pooledProjections: Condition = ({ texts }) => ({
  pooled_projections: stack(texts.map(({ pooled }) => pooled ?? missingPooled())),
});

function missingPooled(): never {
  throw new TensorError('bad-tensor', 'The transformer needs pooled texts, but the text encoders gave none.');
}
