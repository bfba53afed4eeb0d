import { shapeMatching } from '@sd/weights';
import type { AdapterKind, Detail } from '../adapter.js';

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
    const family = families.find(({ textWidths }) =>
      second === undefined ? textWidths.text_encoder === width : 'text_encoder_2' in textWidths,
    );
    return {
      family: family?.id,
      layout: token === undefined ? 'A1111' : 'diffusers',
      details: {
        vectors: shape.length === 1 ? 1 : shape[0],
        width,
        token,
        title: (title ?? undefined) as Detail | undefined,
      },
    };
  },
  open: async (file, context) => (await import('./open.js')).openTextualInversion(file, context),
};
