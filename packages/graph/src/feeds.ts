import { type Model, sizeOf, type Tensor, TensorError, type TensorInfo, tensor } from '@sd/core';

export interface GraphInput extends TensorInfo {
  /** Does it count as zeros where it is not fed? */
  readonly optional: boolean;
}

/** A graph that was written here, with what it takes. */
export interface GraphModel extends Model {
  readonly inputs: readonly GraphInput[];
}

/**
 * What to run a graph with: the values given, and zeros for optional inputs that are not among them. An open size of such
 * zeros is that of the same name elsewhere (`batch`), else 1, so that they broadcast.
 * Throws a TensorError for a value that no input takes, that does not fit its input or another value, or that is missing.
 */
export function completeFeeds(
  { name, inputs }: GraphModel,
  given: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const sizes = new Map<string, { readonly size: number; readonly of: string }>();
  for (const [key, value] of Object.entries(given)) {
    const input = inputs.find((one) => one.name === key);
    if (input === undefined) {
      const known = inputs.map((one) => one.name).join(', ');
      throw new TensorError('bad-tensor', `The ${name} has no input ${key}. It takes ${known}.`);
    }
    expectFit(name, input, value);
    input.dims.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const size = value.dims[axis]!;
      const known = sizes.get(dim) ?? { size, of: key };
      sizes.set(dim, known);
      if (known.size === size) return;
      throw new TensorError(
        'bad-tensor',
        `The ${name}’s ${known.of} and ${key} must have the same ${dim}, which is ${known.size} in [${given[known.of]!.dims.join(', ')}] and ${size} in [${value.dims.join(', ')}].`,
      );
    });
  }
  const feeds: Record<string, Tensor> = {};
  for (const { name: key, type, dims, optional } of inputs) {
    const value = given[key];
    if (value === undefined && !optional) {
      throw new TensorError('bad-tensor', `The ${name} needs ${key}, ${type} [${dims.join(', ')}].`);
    }
    feeds[key] =
      value ??
      tensor(
        type,
        dims.map((dim) => (typeof dim === 'number' ? dim : (sizes.get(dim)?.size ?? 1))),
      );
  }
  return feeds;
}

function expectFit(model: string, { name, type, dims }: GraphInput, value: Tensor): void {
  const fits =
    value.type === type &&
    value.dims.length === dims.length &&
    dims.every((dim, axis) => typeof dim === 'string' || dim === value.dims[axis]) &&
    value.data.length === sizeOf(value.dims);
  if (!fits) {
    throw new TensorError(
      'bad-tensor',
      `The ${model}’s ${name} must be ${type} [${dims.join(', ')}], not ${value.type} [${value.dims.join(', ')}] with ${value.data.length} values.`,
    );
  }
}
