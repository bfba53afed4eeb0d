import { type Graph, type Scope, staticDim, type Value } from '@sd/graph';
import { reshapeView } from '@sd/weights';

/**
 * The positions of a feature map of patches [n, width, rows, columns], cut out of the middle of the checkpoint's square of
 * `size` x `size`: [1, rows * columns, width]. Only the rows of the table that are used are read.
 */
export function croppedPositions(g: Graph, w: Scope, patches: Value, size: number): Value {
  const width = staticDim(patches, 1);
  const table = reshapeView(w.tensor('pos_embed', [1, size * size, width]), [size * size, width]);
  const [row, column] = [2, 3].map((axis) => centredPlaces(g, patches, axis, size));
  const perRow = g.op('Unsqueeze', [row, g.indices([1])], [patches.dims[2], 1]);
  const rowStart = g.op('Mul', [perRow, g.indices([size])], perRow.dims);
  const places = g.op('Add', [rowStart, column], [patches.dims[2], patches.dims[3]]);
  return g.embedding(g.op('Reshape', [places, g.indices([1, -1])], [1, 'places']), table);
}

/** Where the rows or columns of a feature map are among `size`, half of what is left over before them: [rows]. */
function centredPlaces(g: Graph, patches: Value, axis: number, size: number): Value {
  const spare = g.op('Sub', [g.indices([size]), g.size(patches, axis)], [1]);
  const before = g.op('Div', [spare, g.indices([2])], [1]);
  return g.op('Add', [g.places(patches, axis), before], [patches.dims[axis]]);
}

export interface FromPatchesOptions {
  /** The feature map whose places the tokens are: [n, width, rows, columns]. */
  readonly patches: Value;
  readonly patchSize: number;
  /** What has the height and width that come out. */
  readonly like: Value;
}

/** Tokens [n, rows * columns, p * p * c] as the latents [n, c, rows * p, columns * p] whose patches they are. */
export function fromPatches(g: Graph, tokens: Value, { patches, patchSize: p, like }: FromPatchesOptions): Value {
  const [batch, , rows, columns] = patches.dims;
  const channels = staticDim(tokens, -1) / p ** 2;
  const squares = g.reshape(tokens, [batch, rows, columns, p, p, channels]);
  return g.reshape(g.transpose(squares, [0, 5, 1, 3, 2, 4]), [batch, channels, ...like.dims.slice(2)]);
}
