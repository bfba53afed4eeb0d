import type { NameTable } from '@sd/weights';

/** Removes the prefix `text_model.`, if there is one, and drops the position ids of older files. */
export const clipTextNames: NameTable = (name) => {
  const bare = name.replace(/^text_model\./, '');
  return bare === 'embeddings.position_ids' ? undefined : bare;
};
