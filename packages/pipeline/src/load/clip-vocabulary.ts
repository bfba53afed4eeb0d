import { imported } from '../platform/imported.js';

/** CLIP's full vocabulary, as the texts of a checkpoint's `vocab.json` and `merges.txt`. */
export async function clipVocabulary(): Promise<{ readonly vocab: string; readonly merges: string }> {
  const purpose = 'Reading prompts for a model in one file';
  const { vocabulary, merges } = await imported('@sd/clip-vocabulary', purpose, () => import('@sd/clip-vocabulary'));
  return { vocab: JSON.stringify(vocabulary()), merges: `#version: 0.2\n${merges}\n` };
}
