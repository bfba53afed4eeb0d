import type { TensorInfo } from './backend.js';
import { TensorError, UnsupportedError } from './errors.js';
import { sizeOf, type Tensor, type TensorType } from './tensor.js';

/** A graph's input or output as a runtime reports it, of any type. */
export interface RawTensorInfo extends Omit<TensorInfo, 'type'> {
  readonly type: string;
}

const arrays: Record<TensorType, string> = {
  float32: 'Float32Array',
  float16: 'Uint16Array',
  float64: 'Float64Array',
  int32: 'Int32Array',
  int64: 'BigInt64Array',
};

/** Narrows the types of a graph's inputs or outputs. Throws an UnsupportedError for a type that no Tensor has. */
export function toTensorInfo(model: string, values: readonly RawTensorInfo[]): TensorInfo[] {
  return values.map(({ name, type, dims }) => {
    if (!(type in arrays)) {
      throw new UnsupportedError(
        `${model}: '${name}' is ${type}; supported types are ${Object.keys(arrays).join(', ')}.`,
      );
    }
    return { name, type: type as TensorType, dims };
  });
}

/** Throws a TensorError that names the input unless the feeds match the graph's inputs. */
export function checkFeeds(
  model: string,
  inputs: readonly TensorInfo[],
  feeds: Readonly<Record<string, Tensor>>,
): void {
  const takes = `It takes ${inputs.map(({ name, type, dims }) => `${name}: ${type} [${dims.join(', ')}]`).join('; ')}.`;
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) {
      throw new TensorError('bad-tensor', `${model} has no input '${name}'. ${takes}`);
    }
  }
  for (const input of inputs) {
    const feed = feeds[input.name];
    if (feed === undefined)
      throw new TensorError('bad-tensor', `${model}: the input '${input.name}' is missing. ${takes}`);
    const { type, dims, data } = feed;
    // The runtime reports an input of unknown shape as one without dimensions.
    const fits =
      input.dims.length === 0 ||
      (dims.length === input.dims.length && input.dims.every((dim, i) => typeof dim === 'string' || dim === dims[i]));
    if (type !== input.type || !fits || data?.[Symbol.toStringTag] !== arrays[type] || data.length !== sizeOf(dims)) {
      throw new TensorError(
        'bad-tensor',
        `${model}: the input '${input.name}' must be ${input.type} [${input.dims.join(', ')}] in a ${arrays[input.type]}, ` +
          `not ${type} [${dims.join(', ')}] with ${data?.length} values in a ${data?.[Symbol.toStringTag]}.`,
      );
    }
  }
}

/** Throws a TensorError unless the graph has all requested outputs. */
export function checkOutputs(
  model: string,
  outputs: readonly TensorInfo[],
  requested: readonly string[] | undefined,
): void {
  const unknown = requested?.find((name) => !outputs.some((output) => output.name === name));
  if (unknown !== undefined) {
    const known = outputs.map(({ name }) => name).join(', ');
    throw new TensorError('bad-tensor', `${model} has no output '${unknown}'. It has ${known}.`);
  }
}
