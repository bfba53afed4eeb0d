import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import { reshapeView } from '@sd/weights';

/**
 * The position embeddings of a feature map of patches [n, width, rows, columns], cropped from the middle of the checkpoint's
 * `size` x `size` square: [1, rows * columns, width]. Only the rows of the table that are used are read.
 */
export function croppedPositions(g: Graph, w: Scope, patches: Value, size: number): Value {
  const width = staticDim(patches, 1);
  const table = reshapeView(w.tensor('pos_embed', [1, size * size, width]), [size * size, width]);
  const [row, column] = [2, 3].map((axis) => centredIndices(g, patches, axis, size));
  const perRow = g.op('Unsqueeze', [row, g.indices([1])], [patches.dims[2], 1]);
  const rowStart = g.op('Mul', [perRow, g.indices([size])], perRow.dims);
  const positions = g.op('Add', [rowStart, column], [patches.dims[2], patches.dims[3]]);
  return g.embedding(g.op('Reshape', [positions, g.indices([1, -1])], [1, 'positions']), table);
}

/** Indices of a feature map's rows or columns when centred among `size`: [rows]. */
function centredIndices(g: Graph, patches: Value, axis: number, size: number): Value {
  const margin = g.op('Sub', [g.indices([size]), g.size(patches, axis)], [1]);
  const before = g.op('Div', [margin, g.indices([2])], [1]);
  return g.op('Add', [g.places(patches, axis), before], [patches.dims[axis]]);
}

export interface FromPatchesOptions {
  /** The feature map that the tokens were made from: [n, width, rows, columns]. */
  readonly patches: Value;
  readonly patchSize: number;
  /** A value with the height and width of the output. */
  readonly like: Value;
}

/** Assembles patches, tokens [n, rows * columns, p * p * c], to latents [n, c, rows * p, columns * p]. */
export function fromPatches(g: Graph, tokens: Value, { patches, patchSize: p, like }: FromPatchesOptions): Value {
  const [batch, , rows, columns] = patches.dims;
  const channels = staticDim(tokens, -1) / p ** 2;
  const squares = g.reshape(tokens, [batch, rows, columns, p, p, channels]);
  return g.reshape(g.transpose(squares, [0, 5, 1, 3, 2, 4]), [batch, channels, ...like.dims.slice(2)]);
}
