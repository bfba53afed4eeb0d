import { brokenOnnx } from './file-fields.js';
import { operatorOf } from './messages.js';
import { fieldsOf, integersIn, textField, textOf } from './wire.js';

/** Attributes that count or measure something, so that neither 0 nor a negative number makes sense, for any operator. */
const positive =
  /^(block_?size|dilations|group|groups|kernel_shape|kv_num_heads|num_groups|num_heads|num_outputs|output_shape|strides)$/;

/** Attributes that are sizes or positions on an axis. */
const sized = /^(axis|axes|batch_dims|output_padding|pads|perm|qkv_hidden_sizes|shape|split)$/;

/** Operators whose kernels read every input, of which none may be left out. */
const withoutGaps = /^(Concat|Einsum|Max|Mean|Min|Sum)$/;

const largest = 2 ** 31;

/**
 * Throws a CheckpointError for attributes or inputs that are valid for no operator: some kernels of ONNX Runtime
 * end the process on these. Values that a graph computes at run time are beyond such checks.
 */
export function checkNode(path: string, node: Uint8Array): void {
  const operator = operatorOf(node);
  const wrong = (problem: string) => brokenOnnx(path, `its node ${nameOf(node)} (${operator}) has ${problem}`);
  for (const { number, body } of fieldsOf(node)) {
    if (number === 1 && body?.length === 0 && withoutGaps.test(operator)) throw wrong('an input without a name');
    if (number !== 5 || body === undefined) continue;
    const name = textField(body, 1);
    if (!positive.test(name) && !sized.test(name)) continue;
    const fields = [...fieldsOf(body)];
    const values = [...integersIn(fields, 3), ...integersIn(fields, 8)];
    // PyTorch gathers without batches; with more of them than axes, the kernel reads beyond its input.
    const isBatched = name === 'batch_dims' && values.some((value) => value !== 0);
    if (isBatched || values.some((value) => Math.abs(value) > largest || (value <= 0 && positive.test(name)))) {
      throw wrong(`${name} = ${values.slice(0, 8).join(', ')}`);
    }
  }
}

const nameOf = (node: Uint8Array) => JSON.stringify(textField(node, 3) || textField(node, 2));

/** The name of the value that the node divides by; undefined if it does not divide. */
export function divisorOf(node: Uint8Array): string | undefined {
  if (!/^(Div|Mod)$/.test(operatorOf(node))) return undefined;
  return [...fieldsOf(node)].filter(({ number }) => number === 1).map(textOf)[1];
}

/** The tensors that a node has as attributes. */
export function constantsOf(node: Uint8Array): Uint8Array[] {
  const attributes = [...fieldsOf(node)].filter(({ number }) => number === 5);
  return attributes.flatMap(({ body = new Uint8Array() }) =>
    [...fieldsOf(body)].flatMap((field) => (field.number === 5 && field.body !== undefined ? [field.body] : [])),
  );
}
