import { sliceView, type TensorView, transposeView } from '@sd/weights';

/** Tensor names in open_clip's text model, and in transformers' `CLIPTextModel` without `text_model.`. */
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
 * Translates the tensors of an open_clip text model, without their prefix, to transformers' names. The result is views of
 * the same file: attention's combined matrix is split into three, and the projection transposed. `logit_scale` and the mask
 * are dropped; unknown tensors keep their names.
 * @see github.com/mlfoundations/open_clip, src/open_clip/transformer.py, `TextTransformer`
 */
export function openClipTensors(tensors: ReadonlyMap<string, TensorView>): Map<string, TensorView> {
  const result = new Map<string, TensorView>();
  for (const [name, view] of tensors) {
    const [, layer, module, kind] = /^transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)$/.exec(name) ?? [];
    const at = `encoder.layers.${layer}`;
    if (name === 'logit_scale' || name === 'attn_mask') continue;
    // As `text_projection.weight`, the weight of a linear layer, some files have it transposed already.
    if (name === 'text_projection') result.set('text_projection.weight', transposeView(view));
    else if (module === 'attn.in_proj')
      for (const [part, rows] of thirds(view)) result.set(`${at}.self_attn.${part}.${kind}`, rows);
    else if (module !== undefined && Object.hasOwn(inLayer, module))
      result.set(`${at}.${inLayer[module]}.${kind}`, view);
    else result.set(Object.hasOwn(modules, name) ? modules[name] : name, view);
  }
  return result;
}

/** Splits a combined matrix or bias into those of queries, keys and values. */
function thirds(view: TensorView): [string, TensorView][] {
  const rows = Math.floor((view.shape[0] ?? 0) / 3);
  return ['q_proj', 'k_proj', 'v_proj'].map((part, i) => [part, sliceView(view, i * rows, (i + 1) * rows)]);
}
