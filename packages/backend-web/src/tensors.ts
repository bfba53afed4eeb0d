import type { RawTensorInfo, Tensor } from '@sd/core';
import type * as Ort from 'onnxruntime-web';

export function described(values: readonly Ort.InferenceSession.ValueMetadata[]): RawTensorInfo[] {
  return values.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, dims: value.shape.map((dim) => (dim === '' ? '?' : dim)) }
      : { name: value.name, type: 'not a tensor', dims: [] },
  );
}

export type Feeds = readonly (readonly [name: string, tensor: Tensor])[];

/** Copies of the feeds, so that the caller may reuse its arrays while the run is queued. */
export function copied(feeds: Readonly<Record<string, Tensor>>): Feeds {
  return Object.entries(feeds).map(([name, { type, dims, data }]) => [
    name,
    { type, dims: [...dims], data: data.slice() },
  ]);
}

/** An output as a plain object; float16 as bits, even if there is a Float16Array. */
export function toPlainTensor({ type, dims, data }: Ort.Tensor): Tensor {
  const values = data as Tensor['data'];
  const bits = type === 'float16' ? new Uint16Array(values.buffer, values.byteOffset, values.length) : values;
  return { type, dims: [...dims], data: bits } as Tensor;
}
