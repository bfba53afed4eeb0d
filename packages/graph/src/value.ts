/** A size, or the name of one that is known only at run time. */
export type Dim = number | string;

/** The float types in a graph. */
export type FloatType = 'float32' | 'float16' | 'bfloat16';

/** A tensor in the graph. */
export interface Value {
  readonly name: string;
  readonly dims: readonly Dim[];
  /** Undefined for integers and booleans. */
  readonly type?: FloatType | undefined;
}

/** The size of an axis that must be known while the graph is written, such as channels. Throws a RangeError if it is symbolic. */
export function staticDim(value: Value, axis: number): number {
  const dim = value.dims.at(axis);
  if (typeof dim !== 'number') throw new RangeError(`Axis ${axis} of ${value.name} [${value.dims}] has no fixed size.`);
  return dim;
}
