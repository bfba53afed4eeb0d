import { lazyImport } from '@sd/core';
import { type AdapterKind, toDetail } from '../adapter.js';
import type { ModelFamily } from '../family.js';
import { wordsIn } from './words.js';

/** Words that text encoders learned later (arXiv 2208.01618). */
export const textualInversion: AdapterKind = {
  name: 'textual-inversion',
  usage: 'attach() adds its words to those of a loaded model.',
  folder: { files: ['learned_embeds.safetensors', 'learned_embeds.bin'] },
  detect(file, families) {
    const found = wordsIn(file);
    if (found === undefined) return undefined;
    const { layout, words } = found;
    const [{ word, views }] = words;
    const widths = Object.fromEntries([...views].map(([component, { shape }]) => [component, shape.at(-1) ?? 0]));
    const counts = words.map((each) => vectorsOf([...each.views.values()].at(-1)!.shape));
    const title = file.pickled instanceof Map && layout === 'A1111' ? file.pickled.get('name') : undefined;
    return {
      family: families.find(({ textWidths }) => haveSameWidths(textWidths, widths))?.id,
      layout,
      details: {
        vectors: counts.length === 1 ? counts[0] : counts,
        width: Object.values(widths).at(-1),
        ...(words.length === 1 ? { token: word } : { tokens: words.map((each) => each.word ?? '') }),
        title: toDetail(title),
      },
    };
  },
  open: async (file, context) => (await lazyImport(() => import('./open.js'))).openTextualInversion(file, context),
};

const vectorsOf = (shape: readonly number[]): number => (shape.length === 1 ? 1 : shape[0]);

/** Families share text encoders: one that has more than a file has vectors for is another. */
function haveSameWidths(a: ModelFamily['textWidths'], b: ModelFamily['textWidths']): boolean {
  return [a, b].every((widths) => Object.keys(widths).every((name) => a[name] === b[name]));
}
