import { createWriteStream } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openFolder } from '@sd/backend-node';
import { torchCpu } from '@sd/core';
import { readConfig, writeSafetensors } from '@sd/graph';
import { clipTextConfig, clipTextGraph } from '@sd/text-encoder';
import { unetConfig, unetGraph } from '@sd/unet';
import { vaeConfig, vaeDecoderGraph, vaeEncoderGraph } from '@sd/vae';
import { clipVocabulary } from '../fixtures/clip-vocabulary.js';

const models = [
  { folder: 'text_encoder', file: 'model', config: clipTextConfig, graphs: [clipTextGraph] },
  { folder: 'unet', file: 'diffusion_pytorch_model', config: unetConfig, graphs: [unetGraph], unbiased: /\.to_[qkv]$/ },
  { folder: 'vae', file: 'diffusion_pytorch_model', config: vaeConfig, graphs: [vaeEncoderGraph, vaeDecoderGraph] },
];

/**
 * Writes a checkpoint of random weights in diffusers' layout: the tensors are those that the graphs ask for.
 * @param {string} configs Folder of model_index.json and each part's config.
 * @param {string} target Folder to write.
 * @param {'F32' | 'F16'} dtype
 */
export async function writeRandomCheckpoint(configs, target, dtype) {
  await cp(configs, target, { recursive: true });
  await writeTokenizer(path.join(target, 'tokenizer'));
  const source = await openFolder(configs);
  for (const { folder, file, config, graphs, unbiased } of models) {
    const wanted = recorder(unbiased);
    const settings = config(await readConfig(source, `${folder}/config.json`));
    for (const graph of graphs) graph(wanted, settings);
    const tensors = [...wanted.tensors].map(([name, shape]) => randomTensor(name, shape, dtype));
    await mkdir(path.join(target, folder), { recursive: true });
    const output = createWriteStream(path.join(target, folder, `${file}.safetensors`));
    await pipeline(Readable.from(writeSafetensors(tensors), { objectMode: true }), output);
  }
}

async function writeTokenizer(folder) {
  const { vocab, merges } = clipVocabulary();
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'vocab.json'), JSON.stringify(vocab));
  await writeFile(path.join(folder, 'merges.txt'), merges);
}

/** Answers as a checkpoint that has every tensor a graph could ask for, and notes which it asks for. */
function recorder(unbiased) {
  const tensors = new Map();
  return {
    tensors,
    has: (name) => !(name.endsWith('.bias') && unbiased?.test(name.slice(0, -'.bias'.length))),
    tensor(name, shape) {
      tensors.set(name, shape);
      return { name, dtype: 'F32', shape, file: { location: 'none' }, offset: 0, length: 0 };
    },
  };
}

/** Normal weights of the size that keeps activations even; norms near one, biases near zero. */
export function randomTensor(name, shape, dtype) {
  const size = shape.reduce((a, b) => a * b, 1);
  const isNorm = /norm[^.]*\.weight$/.test(name);
  const spread = shape.length === 1 ? 0.05 : 0.7 / Math.sqrt(size / shape[0]);
  return {
    name,
    dtype,
    shape,
    bytes() {
      const noise = sharedNoise();
      const values = new Float32Array(size);
      let at = start(name, noise.length);
      for (let i = 0; i < size; i++) {
        values[i] = (isNorm ? 1 : 0) + spread * noise[at];
        if (++at === noise.length) at = 0;
      }
      return new Uint8Array((dtype === 'F16' ? toFloat16(values) : values).buffer);
    },
  };
}

/** A place in the noise for each tensor, so that no two of a shape are alike. */
function start(name, length) {
  let hash = 0;
  for (const character of name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  return hash % length;
}

let noise;

/** A million normal numbers, which the tensors share at different places. */
function sharedNoise() {
  noise ??= torchCpu(1).randn(1_000_003);
  return noise;
}

/** Bits of the nearest half-precision numbers, for values that are normal in half precision or vanish. */
function toFloat16(values) {
  const bits = new Uint32Array(values.buffer);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const exponent = ((bits[i] >>> 23) & 0xff) - 112;
    const magnitude = exponent <= 0 ? 0 : (exponent << 10) + (((bits[i] & 0x7fffff) + 0x1000) >>> 13);
    halves[i] = ((bits[i] >>> 16) & 0x8000) | magnitude;
  }
  return halves;
}
