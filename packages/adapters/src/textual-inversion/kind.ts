import { shapeMatching } from '@sd/weights';
import { type AdapterKind, toDetail } from '../adapter.js';
import type { ModelFamily } from '../family.js';

/** Words that text encoders learned later (arXiv 2208.01618). */
export const textualInversion: AdapterKind = {
  name: 'textual-inversion',
  usage: 'attach() adds its words to those of a loaded model.',
  folder: { files: ['learned_embeds.safetensors', 'learned_embeds.bin'] },
  detect({ tensors, pickled }, families) {
    const saved = shapeMatching(tensors, /^string_to_param\./);
    const second = tensors.get('clip_g')?.shape;
    const params = tensors.get('emb_params')?.shape;
    const [[only, view] = [undefined, undefined]] = tensors.size === 1 ? tensors : [];
    const named = only !== undefined && !only.includes('.') && view.shape.length <= 2 ? view.shape : undefined;
    const shape = saved ?? second ?? params ?? named;
    const width = shape?.at(-1);
    if (shape === undefined || width === undefined) return undefined;
    const isNamed = saved === undefined && second === undefined && params === undefined;
    const token = isNamed ? only : undefined;
    const title = saved !== undefined && pickled instanceof Map ? pickled.get('name') : undefined;
    const widths: ModelFamily['textWidths'] =
      second === undefined ? { text_encoder: width } : pairWidths(tensors.get('clip_l')?.shape, second);
    const family = families.find(({ textWidths }) => haveSameWidths(textWidths, widths));
    return {
      family: family?.id,
      layout: token === undefined ? 'A1111' : 'diffusers',
      details: {
        vectors: shape.length === 1 ? 1 : shape[0],
        width,
        token,
        title: toDetail(title),
      },
    };
  },
  open: async (file, context) => (await import('./open.js')).openTextualInversion(file, context),
};

function pairWidths(first: readonly number[] | undefined, second: readonly number[]): ModelFamily['textWidths'] {
  return { ...(first !== undefined && { text_encoder: first.at(-1)! }), text_encoder_2: second.at(-1)! };
}

/** Families share text encoders: one that has more than a file has vectors for is another. */
function haveSameWidths(a: ModelFamily['textWidths'], b: ModelFamily['textWidths']): boolean {
  return [a, b].every((widths) => Object.keys(widths).every((name) => a[name] === b[name]));
}
