import { axisSize, countBlocks, type TensorShapes } from '@sd/weights';

type Json = Readonly<Record<string, unknown>>;

/** The facts about a CLIP text model that no shape tells. */
export interface ClipTextFacts {
  readonly class: 'CLIPTextModel' | 'CLIPTextModelWithProjection';
  readonly settings: Json;
  /** Last layers in the file that the diffusion model was trained without. */
  readonly unusedLayers: number;
}

/** Width of an attention head in every CLIP text model of Stable Diffusion. */
const headWidth = 64;

/**
 * The `config.json` of a CLIP text model that came without one: read off the names and shapes of its tensors in
 * transformers' layout, without the prefix `text_model.`. Throws a CheckpointError that names the file at `path` and a
 * tensor that it lacks.
 */
export function clipTextConfigFromShapes(path: string, tensors: TensorShapes, facts: ClipTextFacts): Json {
  const width = axisSize(path, tensors, 'embeddings.token_embedding.weight', 1);
  const projection = tensors.get('text_projection.weight')?.shape[0];
  return {
    ...facts.settings,
    architectures: [facts.class],
    vocab_size: axisSize(path, tensors, 'embeddings.token_embedding.weight', 0),
    hidden_size: width,
    intermediate_size: axisSize(path, tensors, 'encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: countBlocks(tensors, 'encoder.layers.') - facts.unusedLayers,
    num_attention_heads: Math.max(1, Math.floor(width / headWidth)),
    max_position_embeddings: axisSize(path, tensors, 'embeddings.position_embedding.weight', 0),
    ...(projection !== undefined && { projection_dim: projection }),
  };
}
