import { lazyImport } from '@sd/core';
import { shapeMatching } from '@sd/weights';
import { type AdapterKind, toDetail } from '../adapter.js';
import { familyOfContext } from '../family.js';

/** Small networks between a context and the keys and values that attention makes from it, as A1111 trains them. */
export const hypernetwork: AdapterKind = {
  name: 'hypernetwork',
  usage: 'attach() adds it to a loaded model, with a strength.',
  detect({ tensors, pickled }, families) {
    if (shapeMatching(tensors, /^\d+\.[01]\.linear\d?\./) === undefined) return undefined;
    const saved = pickled instanceof Map ? pickled : new Map<unknown, unknown>();
    const widths = [...saved.keys()].filter((key) => typeof key === 'number');
    // 1280 is also the width of self-attention in every family's deeper levels.
    const contexts = widths.filter((width) => width !== 1280).map((width) => familyOfContext(families, width));
    const known = contexts.flatMap((family) => family ?? []);
    const detail = (key: string) => toDetail(saved.get(key));
    return {
      family: known.length === 1 ? known[0].id : undefined,
      layout: 'A1111',
      details: {
        widths,
        structure: detail('layer_structure'),
        activation: detail('activation_func'),
        layerNorm: detail('is_layer_norm'),
        title: detail('name'),
      },
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openHypernetwork(file, context),
};
