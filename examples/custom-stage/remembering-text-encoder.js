/**
 * A text encoder that asks another one for each prompt only once.
 * @param {import('@sd/core').TextEncoder} encoder
 * @returns {import('@sd/core').TextEncoder}
 */
export function remembering(encoder) {
  const known = new Map();
  return {
    async encode(prompts, options = {}) {
      options.signal?.throwIfAborted();
      const keys = prompts.map(({ ids }) => `${options.clipSkip ?? 0}: ${ids}`);
      const missing = prompts.filter((_, i) => !known.has(keys[i]));
      const embeddings = missing.length > 0 ? await encoder.encode(missing, options) : [];
      for (const [i, prompt] of missing.entries()) known.set(keys[prompts.indexOf(prompt)], embeddings[i]);
      return keys.map((key) => known.get(key));
    },
    dispose: () => encoder.dispose?.(),
  };
}
