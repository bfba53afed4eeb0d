import { sliceView, type TensorView, transposeView } from '@sd/graph';

/** Names of open_clip's text model, and those of transformers' `CLIPTextModel` without `text_model.`. */
const modules: Readonly<Record<string, string>> = {
  'token_embedding.weight': 'embeddings.token_embedding.weight',
  positional_embedding: 'embeddings.position_embedding.weight',
  'ln_final.weight': 'final_layer_norm.weight',
  'ln_final.bias': 'final_layer_norm.bias',
};

const inLayer: Readonly<Record<string, string>> = {
  ln_1: 'layer_norm1',
  ln_2: 'layer_norm2',
  'attn.out_proj': 'self_attn.out_proj',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
};

/**
 * The tensors of an open_clip text model, without their prefix, by transformers' names, in place: the rows of attention's
 * one matrix as three, the projection turned. What else there is (`logit_scale`, buffers) is left out.
 * @see github.com/mlfoundations/open_clip, src/open_clip/transformer.py, `TextTransformer`
 */
export function openClipTensors(tensors: ReadonlyMap<string, TensorView>): Map<string, TensorView> {
  const result = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    if (Object.hasOwn(modules, name)) result.set(modules[name]!, view);
    // Some files hold it as the weight of a linear layer, the other way round.
    if (name === 'text_projection') result.set('text_projection.weight', transposeView(view));
    if (name === 'text_projection.weight') result.set(name, view);
    const [, layer, module, kind] = /^transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)$/.exec(name) ?? [];
    if (module === undefined) continue;
    const at = `encoder.layers.${layer}`;
    if (Object.hasOwn(inLayer, module)) result.set(`${at}.${inLayer[module]}.${kind}`, view);
    if (module !== 'attn.in_proj') continue;
    const rows = Math.floor(view.shape[0]! / 3);
    ['q_proj', 'k_proj', 'v_proj'].forEach((part, i) => {
      result.set(`${at}.self_attn.${part}.${kind}`, sliceView(view, i * rows, (i + 1) * rows));
    });
  }
  return result;
}
