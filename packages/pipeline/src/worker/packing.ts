import type { ImageParameters } from '@sd/image';

/** Plain data: objects, arrays, tensors, and images without their functions. */
export type Packed = unknown;

/** An image without its functions. */
export interface PackedImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  readonly parameters?: ImageParameters;
}

export interface Parcel {
  readonly value: Packed;
  /** The buffers of all typed arrays in `value`, which are copies. */
  readonly transfer: ArrayBuffer[];
}

/** Copies a value for sending: functions are left out, and typed arrays are copied because the sender keeps using its own. */
export function pack(value: unknown): Parcel {
  const transfer: ArrayBuffer[] = [];
  const copy = (item: unknown): unknown => {
    if (ArrayBuffer.isView(item)) {
      const copied = (item as Uint8Array).slice();
      transfer.push(copied.buffer);
      return copied;
    }
    if (Array.isArray(item)) return item.map(copy);
    if (typeof item !== 'object' || item === null) return item;
    const entries = Object.entries(item).filter(([, field]) => typeof field !== 'function');
    return Object.fromEntries(entries.map(([name, field]) => [name, copy(field)]));
  };
  return { value: copy(value), transfer };
}
