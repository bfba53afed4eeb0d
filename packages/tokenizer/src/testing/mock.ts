import type { ClipTokenizer } from '../tokenizer.js';

const specialCount = 3;

/** A tokenizer without files, for tests: one token for each UTF-8 byte (its value + 3), start 0, end 1, padding 2. */
export function mockTokenizer({ maxLength = 77 }: { readonly maxLength?: number } = {}): ClipTokenizer {
  const tokenize = (text: string) => Array.from(new TextEncoder().encode(text), (byte) => byte + specialCount);
  const decode = (ids: ArrayLike<number>) => {
    const bytes = Array.from(ids, (id) => id - specialCount).filter((byte) => byte >= 0);
    return new TextDecoder().decode(Uint8Array.from(bytes));
  };
  return {
    maxLength,
    startId: 0,
    endId: 1,
    padId: 2,
    tokenize,
    decode,
    encode(text) {
      const textIds = tokenize(text);
      const kept = textIds.slice(0, maxLength - 2);
      const ids = new Int32Array(maxLength).fill(2);
      ids.set([0, ...kept, 1]);
      return { ids, length: kept.length + 2, truncated: decode(textIds.slice(kept.length)) };
    },
  };
}
