import lines from 'virtual:clip-merges';

/** The merges of CLIP's tokenizer in order of priority, two tokens per line: a `merges.txt` without its first line. */
export const merges: string = lines;

/** Each token's id, as in a checkpoint's `vocab.json`: bytes, bytes that end a word, merges, and the start and end tokens. */
export function vocabulary(): Record<string, number> {
  const bytes = byteCharacters();
  const tokens = [
    ...bytes,
    ...bytes.map((byte) => `${byte}</w>`),
    ...merges.split('\n').map((merge) => merge.replace(' ', '')),
    '<|startoftext|>',
    '<|endoftext|>',
  ];
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** GPT-2's 256 characters for bytes: printable bytes represent themselves, the others follow from U+0100. */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const others = all.filter((byte) => !printable(byte)).map((_, i) => String.fromCharCode(256 + i));
  return [...all.filter(printable).map((byte) => String.fromCharCode(byte)), ...others];
}
