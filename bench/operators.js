// Compares equivalent ways to express an operation on ONNX Runtime's CPU provider with the one that Graph chooses.
import { createNodeBackend } from '@sd/backend-node';
import { tensor, torchCpu } from '@sd/core';
import { Graph } from '@sd/graph';

const backend = createNodeBackend();
const microsoft = 'com.microsoft';

/** Times one form in a graph; it is repeated so that the overhead of the call is negligible. */
async function time(dims, write, repeats = 4) {
  const g = new Graph();
  const x = g.input('x', dims);
  const results = Array.from({ length: repeats }, (_, i) => write(g, g.mul(x, g.constant([1 + i], [1]))));
  const sum = results.reduce((a, b) => g.add(a, b));
  g.output('y', g.op('ReduceMax', [sum], [], { keepdims: 0n }));
  const session = await backend.load(g.finish('form', { repeated: true }));
  const feed = tensor('float32', dims, torchCpu(0).randn(dims.reduce((a, b) => a * b)));
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 12; i++) {
    const start = performance.now();
    await session.run({ x: feed });
    fastest = Math.min(fastest, performance.now() - start);
  }
  await session.dispose();
  return fastest / repeats;
}

async function compare(title, dims, forms) {
  console.log(`\n${title}, x [${dims.join(', ')}]`);
  const baseline = await time(dims, (_, x) => x);
  let chosen;
  for (const [name, write] of Object.entries(forms)) {
    const milliseconds = Math.max(0.001, (await time(dims, write)) - baseline);
    chosen ??= milliseconds;
    console.log(
      `  ${name.padEnd(44)} ${milliseconds.toFixed(2).padStart(7)} ms  ${(milliseconds / chosen).toFixed(2)}`,
    );
  }
}

const groups = 32;
const ones = (g, size) => g.constant(new Array(size).fill(1));
const zeros = (g, size) => g.constant(new Array(size).fill(0));

for (const dims of [
  [1, 320, 64, 64],
  [1, 128, 512, 512],
]) {
  const grouped = [1, groups, (dims[1] / groups) * dims[2] * dims[3]];
  await compare('Group norm without scale and shift', dims, {
    'InstanceNormalization (chosen)': (g, x) =>
      g.reshape(
        g.op('InstanceNormalization', [g.reshape(x, grouped), ones(g, groups), zeros(g, groups)], grouped),
        dims,
      ),
    GroupNormalization: (g, x) =>
      g.op('GroupNormalization', [x, ones(g, groups), zeros(g, groups)], dims, { num_groups: BigInt(groups) }),
    'mean and variance by ReduceMean': (g, x) => {
      const rows = g.reshape(x, grouped);
      const axes = g.indices([2]);
      const mean = g.op('ReduceMean', [rows, axes], [1, groups, 1]);
      const centred = g.op('Sub', [rows, mean], grouped);
      const variance = g.op('ReduceMean', [g.mul(centred, centred), axes], [1, groups, 1]);
      return g.reshape(g.op('Div', [centred, g.op('Sqrt', [variance], [1, groups, 1])], grouped), dims);
    },
  });
}

await compare('SiLU', [1, 320, 64, 64], {
  'QuickGelu, alpha 1 (chosen)': (g, x) => g.silu(x),
  'Sigmoid and Mul': (g, x) => g.mul(x, g.op('Sigmoid', [x], x.dims)),
});

await compare('Attention over 4096 tokens, 8 heads of 40', [1, 4096, 320], {
  'MultiHeadAttention (chosen)': (g, x) => g.attention(x, x, x, 8),
  'MatMul, Softmax, MatMul': (g, x) => {
    const split = (perm) => g.op('Transpose', [g.reshape(x, [1, 4096, 8, 40])], [1, 8, 4096, 40], { perm });
    const scores = g.op('MatMul', [split([0n, 2n, 1n, 3n]), split([0n, 2n, 3n, 1n])], [1, 8, 4096, 4096]);
    const weights = g.op('Softmax', [g.mul(scores, g.constant([40 ** -0.5], [1]))], scores.dims, { axis: -1n });
    const mixed = g.op('MatMul', [weights, split([0n, 2n, 1n, 3n])], [1, 8, 4096, 40]);
    return g.reshape(g.op('Transpose', [mixed], [1, 4096, 8, 40], { perm: [0n, 2n, 1n, 3n] }), [1, 4096, 320]);
  },
});

const matrix = (g, rows, columns) => g.constant(Array.from(torchCpu(rows).randn(rows * columns)), [rows, columns]);

await compare('A linear layer of 1280 with a bias', [1, 4096, 320], {
  'Gemm, transB (chosen)': (g, x) => {
    const rows = g.reshape(x, [4096, 320]);
    return g.reshape(
      g.op('Gemm', [rows, matrix(g, 1280, 320), zeros(g, 1280)], [4096, 1280], { transB: 1n }),
      [1, 4096, 1280],
    );
  },
  'Transpose, MatMul, Add': (g, x) => {
    const transposed = g.op('Transpose', [matrix(g, 1280, 320)], [320, 1280], { perm: [1n, 0n] });
    return g.add(g.op('MatMul', [x, transposed], [1, 4096, 1280]), zeros(g, 1280));
  },
});

await compare('GELU', [1, 4096, 1280], {
  'Gelu of com.microsoft (chosen)': (g, x) => g.gelu(x),
  'FastGelu (tanh approximation)': (g, x) => g.op('FastGelu', [x], x.dims, {}, microsoft),
});

await backend.dispose();
