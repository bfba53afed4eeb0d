import { brokenOnnx } from './file-fields.js';

/** How often each operator is called in one body: a graph with its branches, or a function. */
export type CallCounts = Map<string, number>;

/** Limit on the nodes of a model once ONNX Runtime has put the bodies of functions in place of their calls. SDXL's U-Net has 8,000. */
const mostNodes = 60_000;

/** Limit on functions that call each other. */
const deepest = 16;

interface Size {
  readonly nodes: number;
  /** Depth of nested functions. */
  readonly depth: number;
}

export function countCall(counts: CallCounts, operator: string): void {
  counts.set(operator, (counts.get(operator) ?? 0) + 1);
}

/** Throws a CheckpointError if functions call themselves, or if the model has too many nodes once they are expanded. */
export function expectExpandable(path: string, graph: CallCounts, functions: ReadonlyMap<string, CallCounts>): void {
  const sizes = new Map<string, Size>();
  const sizeOf = (counts: CallCounts, callers: readonly string[]): Size => {
    let [nodes, depth] = [0, 0];
    for (const [operator, count] of counts) {
      const body = functions.get(operator);
      const called = body === undefined ? { nodes: 1, depth: 0 } : functionSize(operator, body, callers);
      nodes += count * called.nodes;
      depth = Math.max(depth, called.depth);
    }
    return { nodes, depth };
  };
  const functionSize = (name: string, body: CallCounts, callers: readonly string[]): Size => {
    const known = sizes.get(name);
    if (known !== undefined) return known;
    if (callers.includes(name)) throw brokenOnnx(path, `its function ${name} calls itself`);
    const { nodes, depth } = callers.length > deepest ? { nodes: 0, depth: deepest } : sizeOf(body, [...callers, name]);
    if (depth + 1 > deepest) throw brokenOnnx(path, `its functions are nested more than ${deepest} deep`);
    const size = { nodes, depth: depth + 1 };
    sizes.set(name, size);
    return size;
  };
  for (const [name, body] of functions) functionSize(name, body, []);
  const { nodes } = sizeOf(graph, []);
  if (nodes > mostNodes) {
    throw brokenOnnx(path, `it has ${nodes} nodes once its functions are expanded; the limit is ${mostNodes}`);
  }
}
