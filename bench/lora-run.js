// Measures one run of a U-Net, with or without a LoRA. Runs in a separate process, to measure its peak memory.
import path from 'node:path';
import { openLora } from '@sd/adapters';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { tensor, torchCpu } from '@sd/core';
import { loadUnet } from '@sd/unet';
import { openWeights } from '@sd/weights';
import { peakMemory } from './memory.js';
import { timed } from './timing.js';

const [folder, file, mode] = process.argv.slice(2);
const backend = createNodeBackend();
let sessions = 0;
const counting = {
  ...backend,
  load(model, options) {
    sessions += 1;
    return backend.load(model, options);
  },
};
const source = await openFolder(folder);

const side = 64;
const unet = await loadUnet({ source, backend: counting });
const sample = tensor('float32', [1, unet.inChannels, side, side], torchCpu(0).randn(unet.inChannels * side * side));
const width = unet.config.levels[0].contextWidth;
const context = tensor('float32', [1, 77, width], torchCpu(1).randn(77 * width));
const input = { sample, timestep: 500, context };
const strength = (value) => ({ 'strength.style': tensor('float32', [1], Float32Array.of(value)) });
const open = async () => {
  const weights = await openWeights(await openFolder(path.dirname(file)), path.basename(file));
  return openLora(weights, { name: 'style' });
};

console.log(JSON.stringify(mode === 'times' ? await times() : await peak()));
await backend.dispose();

async function times() {
  // Reads the files into the system's cache.
  await unet.load();
  const fastest = { load: Number.POSITIVE_INFINITY, add: Number.POSITIVE_INFINITY };
  let stage;
  let lora;
  for (let i = 0; i < 3; i++) {
    await unet.release();
    await stage?.dispose();
    fastest.load = Math.min(fastest.load, await timed(() => unet.load()));
    await unet.release();
    const add = async () => {
      lora = await open();
      stage = unet.withExtensions([lora.extensions.unet]);
      lora.check();
      await stage.load();
    };
    fastest.add = Math.min(fastest.add, await timed(add));
  }
  await unet.load();
  const made = sessions;
  const forward = { plain: Number.POSITIVE_INFINITY, lora: Number.POSITIVE_INFINITY };
  for (let i = 0; i < 5; i++) {
    forward.plain = Math.min(forward.plain, await timed(() => unet.predict(input)));
    forward.lora = Math.min(forward.lora, await timed(() => stage.predict({ ...input, conditions: strength(i / 5) })));
  }
  return { ...forward, ...fastest, sessions: sessions - made, strength: await strengthTime(lora) };
}

async function peak() {
  const stage = mode === 'plain' ? unet : unet.withExtensions([(await open()).extensions.unet]);
  await stage.predict(mode === 'plain' ? input : { ...input, conditions: strength(0.8) });
  await stage.predict(mode === 'plain' ? input : { ...input, conditions: strength(0.4) });
  return { peak: peakMemory() };
}

/** Seconds that a call with another strength takes besides the run: measured with a runtime that does nothing. */
async function strengthTime(lora) {
  const idle = {
    provider: 'cpu',
    load: async () => ({ inputs: [], outputs: [], run: async () => ({ out_sample: sample }), dispose: async () => {} }),
    dispose: async () => {},
  };
  const stage = (await loadUnet({ source, backend: idle })).withExtensions([lora.extensions.unet]);
  const count = 1000;
  const total = await timed(async () => {
    for (let i = 0; i < count; i++) await stage.predict({ ...input, conditions: strength(i / count) });
  });
  return total / count;
}
