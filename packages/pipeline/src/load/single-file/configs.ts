import { CheckpointError } from '@sd/core';
import type { TensorView } from '@sd/weights';
import type { Family, Heads, Json, TextRules } from './families.js';

type Shapes = ReadonlyMap<string, Pick<TensorView, 'shape'>>;

/** How many there are of `prefix` + number, from 0 on. */
function count(tensors: Shapes, prefix: string): number {
  const found = new Set<number>();
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue;
    const [number] = name.slice(prefix.length).split('.', 1);
    if (/^\d+$/.test(number!)) found.add(Number(number));
  }
  return found.size;
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

function sizeOf(path: string, tensors: Shapes, name: string, axis: number): number {
  const size = tensors.get(name)?.shape[axis];
  if (size !== undefined) return size;
  throw new CheckpointError('missing-tensor', path, `has no tensor ${name}, which its shape follows from.`, {
    tensor: name,
  });
}

/** The config of a U-Net: what its names and shapes say, and of `known` what they do not. */
export function unetConfigOf(
  path: string,
  tensors: Shapes,
  known: { readonly unet: Json; readonly heads?: Heads },
): Json {
  const levels = count(tensors, 'down_blocks.');
  const channels = range(levels).map((i) => sizeOf(path, tensors, `down_blocks.${i}.resnets.0.conv1.weight`, 0));
  const resnets = range(levels).map((i) => count(tensors, `down_blocks.${i}.resnets.`));
  const depthsOf = (blocks: string) =>
    range(count(tensors, `${blocks}.attentions.`)).map((j) =>
      count(tensors, `${blocks}.attentions.${j}.transformer_blocks.`),
    );
  const down = range(levels).map((i) => depthsOf(`down_blocks.${i}`));
  const up = range(levels).map((i) => depthsOf(`up_blocks.${i}`));
  const middle = count(tensors, 'mid_block.attentions.0.transformer_blocks.');
  // The middle's depth is the deepest level's; of another level without attention the number says nothing.
  const perLevel = (depths: readonly number[], level: number) =>
    depths.length > 0 ? same(depths) : level === levels - 1 ? Math.max(1, middle) : 1;
  const context = [...tensors].find(([name]) => name.endsWith('.attn2.to_k.weight'))?.[1].shape[1];
  const added = tensors.get('add_embedding.linear_1.weight')?.shape[1];
  const told = tensors.get('time_embedding.cond_proj.weight')?.shape[1];
  const { heads } = known;
  return {
    ...known.unet,
    in_channels: sizeOf(path, tensors, 'conv_in.weight', 1),
    // A ControlNet has no way out.
    out_channels: tensors.get('conv_out.weight')?.shape[0] ?? sizeOf(path, tensors, 'conv_in.weight', 1),
    block_out_channels: channels,
    layers_per_block: resnets,
    down_block_types: down.map((depths) => (depths.length > 0 ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: up.map((depths) => (depths.length > 0 ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    ...(tensors.has('mid_block.resnets.0.conv1.weight') ? {} : { mid_block_type: null }),
    ...(heads && {
      attention_head_dim: channels.map((width) => ('count' in heads ? heads.count : width / heads.width)),
    }),
    cross_attention_dim: context,
    transformer_layers_per_block: down.map(perLevel),
    reverse_transformer_layers_per_block: up.map(perLevel),
    ...(added !== undefined && { addition_embed_type: 'text_time', projection_class_embeddings_input_dim: added }),
    ...(told !== undefined && { time_cond_proj_dim: told }),
  };
}

/** What a ControlNet's config says of its picture, and of the layers that read it: every other one widens. */
export function conditioningOf(path: string, tensors: Shapes): Json {
  const at = 'controlnet_cond_embedding';
  const widening = range(count(tensors, `${at}.blocks.`)).filter((i) => i % 2 === 1);
  const names = [`${at}.conv_in.weight`, ...widening.map((i) => `${at}.blocks.${i}.weight`)];
  return {
    conditioning_channels: sizeOf(path, tensors, `${at}.conv_in.weight`, 1),
    conditioning_embedding_out_channels: names.map((name) => sizeOf(path, tensors, name, 0)),
  };
}

/** The config of an autoencoder. */
export function vaeConfigOf(path: string, tensors: Shapes, { vae }: Pick<Family, 'vae'>): Json {
  const levels = count(tensors, 'decoder.up_blocks.');
  return {
    ...vae,
    in_channels: sizeOf(path, tensors, 'encoder.conv_in.weight', 1),
    out_channels: sizeOf(path, tensors, 'decoder.conv_out.weight', 0),
    latent_channels: sizeOf(path, tensors, 'decoder.conv_in.weight', 1),
    block_out_channels: range(levels).map((i) =>
      sizeOf(path, tensors, `decoder.up_blocks.${levels - 1 - i}.resnets.0.conv1.weight`, 0),
    ),
    layers_per_block: count(tensors, 'encoder.down_blocks.0.resnets.'),
    down_block_types: range(levels).map(() => 'DownEncoderBlock2D'),
    up_block_types: range(levels).map(() => 'UpDecoderBlock2D'),
    mid_block_add_attention: tensors.has('decoder.mid_block.attentions.0.to_q.weight'),
    use_quant_conv: tensors.has('quant_conv.weight'),
    use_post_quant_conv: tensors.has('post_quant_conv.weight'),
  };
}

/** Width of a head in every CLIP text model of Stable Diffusion. */
const headWidth = 64;

/** The config of a CLIP text model. */
export function textConfigOf(path: string, tensors: Shapes, rules: TextRules): Json {
  const width = sizeOf(path, tensors, 'embeddings.token_embedding.weight', 1);
  const projection = tensors.get('text_projection.weight')?.shape[0];
  return {
    ...rules.settings,
    architectures: [rules.class],
    vocab_size: sizeOf(path, tensors, 'embeddings.token_embedding.weight', 0),
    hidden_size: width,
    intermediate_size: sizeOf(path, tensors, 'encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: count(tensors, 'encoder.layers.') - rules.unusedLayers,
    num_attention_heads: Math.max(1, Math.floor(width / headWidth)),
    max_position_embeddings: sizeOf(path, tensors, 'embeddings.position_embedding.weight', 0),
    ...(projection !== undefined && { projection_dim: projection }),
  };
}

function same(values: readonly number[]): number | readonly number[] {
  return values.every((value) => value === values[0]) ? values[0]! : values;
}
