import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { tensor, torchCpu } from '@sd/core';
import { Graph, Scope } from '@sd/graph';
import { openCheckpoint, writeSafetensors } from '@sd/weights';

/** The shapes that take most of the time in the U-Net and the VAE at 512 x 512. */
const convolutions = [
  { channels: 320, side: 64 },
  { channels: 640, side: 32 },
  { channels: 1280, side: 16 },
  { channels: 512, side: 64 },
  { channels: 256, side: 256 },
  { channels: 128, side: 512 },
];
const products = [
  { rows: 4096, width: 320, out: 1280 },
  { rows: 1024, width: 640, out: 2560 },
  { rows: 256, width: 1280, out: 5120 },
];

/**
 * The highest rates of this machine in the models' main operators, in floating-point operations per second: the fastest
 * shape, and the fastest of several runs.
 */
export async function measureRates() {
  const backend = createNodeBackend();
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-rates-'));
  try {
    const conv = await best(convolutions, (shape) => convolutionRate(backend, folder, shape));
    const gemm = await best(products, (shape) => productRate(backend, folder, shape));
    return { conv, gemm };
  } finally {
    await backend.dispose();
    await rm(folder, { recursive: true });
  }
}

async function best(shapes, measure) {
  let rate = 0;
  for (const shape of shapes) rate = Math.max(rate, await measure(shape));
  return rate;
}

async function convolutionRate(backend, folder, { channels, side }) {
  const checkpoint = await weights(folder, { 'conv.weight': [channels, channels, 3, 3] });
  const g = new Graph();
  const x = g.input('x', [1, channels, side, side]);
  // Reduced to one value, so that the transfer of the result takes no time.
  const y = g.conv(x, new Scope(checkpoint, 'conv'), channels);
  g.output('y', g.op('ReduceMax', [y], [], { keepdims: 0n }));
  return rateOf(backend, g, [1, channels, side, side], 2 * 9 * channels * channels * side * side);
}

async function productRate(backend, folder, { rows, width, out }) {
  const checkpoint = await weights(folder, { 'linear.weight': [out, width] });
  const g = new Graph();
  const y = g.linear(g.input('x', [rows, width]), new Scope(checkpoint, 'linear'), out);
  g.output('y', g.op('ReduceMax', [y], [], { keepdims: 0n }));
  return rateOf(backend, g, [rows, width], 2 * rows * width * out);
}

async function rateOf(backend, g, dims, operations) {
  const session = await backend.load(g.finish('rate', { repeated: true }));
  const x = tensor('float32', dims, torchCpu(0).randn(dims.reduce((a, b) => a * b)));
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    await session.run({ x });
    fastest = Math.min(fastest, performance.now() - start);
  }
  await session.dispose();
  return operations / (fastest / 1000);
}

async function weights(folder, shapes) {
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: 'F32',
    shape,
    bytes: () => new Uint8Array(torchCpu(0).randn(shape.reduce((a, b) => a * b)).buffer),
  }));
  const chunks = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  await writeFile(path.join(folder, 'rate.safetensors'), Buffer.concat(chunks));
  return openCheckpoint(await openFolder(folder), '.', { stems: ['rate'] });
}
