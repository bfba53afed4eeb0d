import type { Tensor } from '@sd/core';

/**
 * Copies the feeds to separate buffers, and lists those for transfer. A structured clone would copy twice, and for a view
 * even the whole underlying buffer.
 */
export function packFeeds(feeds: Readonly<Record<string, Tensor>>): {
  feeds: Record<string, Tensor>;
  buffers: ArrayBuffer[];
} {
  const packed: Record<string, Tensor> = {};
  const buffers: ArrayBuffer[] = [];
  for (const [name, { type, dims, data }] of Object.entries(feeds)) {
    const copy = data.slice();
    packed[name] = { type, dims: [...dims], data: copy };
    buffers.push(copy.buffer as ArrayBuffer);
  }
  return { feeds: packed, buffers };
}
