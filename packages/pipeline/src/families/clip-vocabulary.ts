import { expectFilesOpen } from '@sd/core';
import { importError } from '../platform/imported.js';

/** CLIP's full vocabulary, as the contents of a checkpoint's `vocab.json` and `merges.txt`. */
export async function clipVocabulary(): Promise<{ readonly vocab: string; readonly merges: string }> {
  const { vocabulary, merges } = await vocabularyPackage();
  return { vocab: JSON.stringify(vocabulary()), merges: `#version: 0.2\n${merges}\n` };
}

async function vocabularyPackage() {
  try {
    expectFilesOpen();
    return await import('@sd/clip-vocabulary');
  } catch (error) {
    throw importError(error, '@sd/clip-vocabulary', 'Reading prompts for a model in one file');
  }
}
