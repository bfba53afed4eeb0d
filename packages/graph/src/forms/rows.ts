import type { Nodes } from '../nodes.js';
import type { Value } from '../value.js';

/** The rows of a batch that are to be computed with. */
export interface Rows {
  /** Their indices, whole numbers [rows]. */
  readonly indices: Value;
  /** The name of their number, which is known only at run time. */
  readonly count: string;
}

/** See `Graph.nonZeroRows`. */
export function nonZeroRows(n: Nodes, mask: Value): Rows {
  const count = `${mask.name}:rows`;
  const found = n.op('NonZero', [mask], [1, count]);
  const marked = n.op('Squeeze', [found, n.shapes.indices([0])], [count]);
  if (n.provider !== 'webgpu') return { indices: marked, count };
  // WebGPU's softmax fails on a batch without rows.
  return { indices: n.op('Concat', [marked, n.shapes.indices([0])], [count], { axis: 0n }), count };
}

/** See `Graph.selectRows`. */
export function selectRows(n: Nodes, x: Value, { indices, count }: Rows): Value {
  return n.sized('Gather', [x, indices], [count, ...x.dims.slice(1)], { axis: 0n });
}
