import { originalMmditTensors } from '@sd/mmdit/single-file';
import { t5EncoderNames } from '@sd/text-encoder/single-file';
import { renameTensors } from '@sd/weights';
import { autoencoderPart } from '../autoencoder.js';
import { clipPart } from '../clip.js';
import type { FileLayout, FilePart, SplitFile } from '../family.js';

const transformerPart = (mark: string): FilePart => ({
  mark,
  component: 'transformer',
  translate: (_, tensors) => (tensors.has('pos_embed.proj.weight') ? tensors : originalMmditTensors(tensors)),
});

const t5Part: FilePart = {
  mark: 'text_encoders.t5xxl.transformer.',
  component: 'text_encoder_3',
  translate: (path, tensors) => renameTensors(path, tensors, t5EncoderNames),
};

/** A tensor that only this architecture has, under its original name. */
const firstBlock = 'joint_blocks.0.context_block.adaLN_modulation.1.bias';

/** Files of Stable Diffusion 3: a whole model in the original layout, with or without text encoders, or the transformer alone. */
export const sd3Layout: FileLayout = {
  prefixes: [
    transformerPart('model.diffusion_model.'),
    autoencoderPart('first_stage_model.'),
    clipPart('text_encoders.clip_l.transformer.', 'text_encoder'),
    clipPart('text_encoders.clip_g.transformer.', 'text_encoder_2'),
    t5Part,
  ],
  alone: [transformerPart(firstBlock), transformerPart('pos_embed.proj.weight')],
  leftOver: /^(model_ema\.|loss\.|text_encoders\.\w+\.logit_scale$)/,
  matches: (names) =>
    names.has(firstBlock) ||
    names.has(`model.diffusion_model.${firstBlock}`) ||
    (names.has('pos_embed.proj.weight') && names.has('transformer_blocks.0.attn.add_q_proj.weight')),
};

/** What `inspect()` reports about a file with the transformer. */
export function sd3Details({ components: { transformer } }: SplitFile) {
  const shapeOf = (name: string) => transformer?.get(name)?.shape;
  const hasNorms = shapeOf('transformer_blocks.0.attn.norm_q.weight') !== undefined;
  return {
    purpose: 'text to image',
    channels: shapeOf('pos_embed.proj.weight')?.[1],
    contextWidth: shapeOf('context_embedder.weight')?.[1],
    version: hasNorms ? '3.5' : '3',
  };
}
