import type { NameTable } from '@sd/weights';

/** Names with and without the prefix `text_model.`; the position numbers of older files are dropped. */
export const clipTextNames: NameTable = (name) => {
  const bare = name.replace(/^text_model\./, '');
  return bare === 'embeddings.position_ids' ? undefined : bare;
};
