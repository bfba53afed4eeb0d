import type { Tensor } from '@sd/core';

/**
 * Copies of the feeds on buffers of their own, and those buffers, to be transferred. A structured clone would copy
 * twice, and for a view the whole buffer under it.
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
