/**
 * Wraps a text encoder so that it encodes each prompt only once.
 * @param {import('@sd/core').TextEncoder} encoder
 * @returns {import('@sd/core').TextEncoder}
 */
export function withCache(encoder) {
  const cache = new Map();
  return {
    async encode(prompts, options = {}) {
      options.signal?.throwIfAborted();
      const keys = prompts.map(({ ids }) => `${options.clipSkip ?? 0}: ${ids}`);
      const missing = prompts.filter((_, i) => !cache.has(keys[i]));
      const embeddings = missing.length > 0 ? await encoder.encode(missing, options) : [];
      for (const [i, prompt] of missing.entries()) cache.set(keys[prompts.indexOf(prompt)], embeddings[i]);
      return keys.map((key) => cache.get(key));
    },
    dispose: () => encoder.dispose?.(),
  };
}
