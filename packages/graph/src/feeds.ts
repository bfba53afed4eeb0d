import { type Model, sizeOf, type Tensor, TensorError, type TensorInfo, tensor } from '@sd/core';

export interface GraphInput extends TensorInfo {
  /** True if it defaults to zeros. */
  readonly optional: boolean;
}

/** A graph written here, with its inputs. */
export interface GraphModel extends Model {
  readonly inputs: readonly GraphInput[];
}

/**
 * The feeds for a graph: the given values, and zeros for optional inputs without one. A symbolic size of such zeros is
 * that of the same symbol in another feed (`batch`), otherwise 1, so that they broadcast.
 * Throws a TensorError for an unknown or missing input, and for a value that does not fit its input or another value.
 */
export function completeFeeds(
  { name, inputs }: GraphModel,
  given: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const sizes = new Map<string, { readonly size: number; readonly from: string }>();
  for (const [key, value] of Object.entries(given)) {
    const input = inputs.find((candidate) => candidate.name === key);
    if (input === undefined) {
      const known = inputs.map((candidate) => candidate.name).join(', ');
      throw new TensorError('bad-tensor', `The ${name} has no input ${key}. It takes ${known}.`);
    }
    expectFit(name, input, value);
    input.dims.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const size = value.dims[axis];
      const known = sizes.get(dim) ?? { size, from: key };
      sizes.set(dim, known);
      if (known.size === size) return;
      throw new TensorError(
        'bad-tensor',
        `The ${name}’s ${known.from} and ${key} must have the same ${dim}, which is ${known.size} in [${given[known.from].dims.join(', ')}] and ${size} in [${value.dims.join(', ')}].`,
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
