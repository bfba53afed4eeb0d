/** A size, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

/** A tensor in the graph: float32 unless it says otherwise. */
export interface Value {
  readonly name: string;
  readonly dims: readonly Dim[];
}

/** The size of an axis that must be known while the graph is written, such as channels. */
export function staticDim(value: Value, axis: number): number {
  const dim = value.dims.at(axis);
  if (typeof dim !== 'number') throw new RangeError(`Axis ${axis} of ${value.name} [${value.dims}] has no fixed size.`);
  return dim;
}
