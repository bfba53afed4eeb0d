// Compares graphs with symbolic sizes to graphs with fixed sizes, which need a new session whenever the size changes.
// Full-size SD 1.5 at 512 x 512; run full-size.js first, which writes the checkpoint.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { tensor, torchCpu } from '@sd/core';
import { Graph } from '@sd/graph';
import { unetConfig, unetGraph } from '@sd/unet';
import { vaeConfig, vaeDecoderGraph } from '@sd/vae';
import { openCheckpoint, readConfig } from '@sd/weights';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'checkpoints', 'sd15-F32');
const source = await openFolder(folder);
const sizes = { batch: 1, timesteps: 1, tokens: 77, height: 64, width: 64 };
const noise = (dims) => tensor('float32', dims, torchCpu(0).randn(dims.reduce((a, b) => a * b)));

const models = [
  {
    name: 'U-Net forward',
    feeds: {
      sample: noise([1, 4, 64, 64]),
      timestep: tensor('float32', [1], Float32Array.of(500)),
      encoder_hidden_states: noise([1, 77, 768]),
    },
    graph: async () => unetGraph(await open('unet'), unetConfig(await readConfig(source, 'unet/config.json'))),
  },
  {
    name: 'VAE decode',
    feeds: { latent_sample: noise([1, 4, 64, 64]) },
    graph: async () => vaeDecoderGraph(await open('vae'), vaeConfig(await readConfig(source, 'vae/config.json'))),
  },
];

for (const { name, feeds, graph } of models) {
  const symbolic = await measure(await graph(), feeds);
  const fixed = await measure(await withFixedSizes(graph), feeds);
  console.log(
    `${name}: symbolic ${symbolic.run.toFixed(2)} s, fixed ${fixed.run.toFixed(2)} s (${(symbolic.run / fixed.run).toFixed(2)}); changing a fixed size ${fixed.load.toFixed(1)} s`,
  );
}

function open(part) {
  return openCheckpoint(source, part, { stems: ['diffusion_pytorch_model'] });
}

/** Writes a graph with numbers in place of the symbolic dimensions of its inputs. */
async function withFixedSizes(graph) {
  const { input } = Graph.prototype;
  Graph.prototype.input = function (name, dims, type) {
    return input.call(
      this,
      name,
      dims.map((dim) => sizes[dim] ?? dim),
      type,
    );
  };
  try {
    return await graph();
  } finally {
    Graph.prototype.input = input;
  }
}

async function measure(model, feeds) {
  const backend = createNodeBackend();
  const start = performance.now();
  const session = await backend.load(model);
  const load = (performance.now() - start) / 1000;
  let run = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = performance.now();
    await session.run(feeds);
    run = Math.min(run, (performance.now() - before) / 1000);
  }
  await backend.dispose();
  return { load, run };
}
