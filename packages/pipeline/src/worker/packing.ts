import type { ImageParameters } from '@sd/image';

/** Plain data: objects, lists, tensors and pictures, whose functions stayed behind. */
export type Packed = unknown;

/** What is left of a picture without its functions. */
export interface PackedPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly parameters?: ImageParameters;
}

export interface Parcel {
  readonly value: Packed;
  /** The buffers of all arrays in it, which are copies. */
  readonly transfer: ArrayBuffer[];
}

/** Makes a copy that can be sent: without functions, and with arrays of its own, since the sender goes on with its. */
export function pack(value: unknown): Parcel {
  const transfer: ArrayBuffer[] = [];
  const copy = (part: unknown): unknown => {
    if (ArrayBuffer.isView(part)) {
      const own = (part as Uint8Array).slice();
      transfer.push(own.buffer);
      return own;
    }
    if (Array.isArray(part)) return part.map(copy);
    if (typeof part !== 'object' || part === null) return part;
    const entries = Object.entries(part).filter(([, field]) => typeof field !== 'function');
    return Object.fromEntries(entries.map(([name, field]) => [name, copy(field)]));
  };
  return { value: copy(value), transfer };
}
