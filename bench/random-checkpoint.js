import { createWriteStream, existsSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { loadControlNet } from '@sd/adapters';
import { openFolder } from '@sd/backend-node';
import { torchCpu } from '@sd/core';
import { clipTextConfig, clipTextGraph } from '@sd/text-encoder';
import { unetConfig, unetGraph } from '@sd/unet';
import { vaeConfig, vaeDecoderGraph, vaeEncoderGraph } from '@sd/vae';
import { readConfig, writeSafetensors } from '@sd/weights';
import { clipVocabulary } from '../fixtures/clip-vocabulary.js';

const text = { file: 'model', config: clipTextConfig, graphs: [clipTextGraph], unbiased: /text_projection$/ };
const stem = 'diffusion_pytorch_model';

const models = [
  { folder: 'text_encoder', ...text },
  { folder: 'text_encoder_2', ...text },
  { folder: 'unet', file: stem, config: unetConfig, graphs: [unetGraph], unbiased: /\.to_[qkv]$/ },
  { folder: 'vae', file: stem, config: vaeConfig, graphs: [vaeEncoderGraph, vaeDecoderGraph] },
];

/**
 * Writes a checkpoint of random weights in diffusers' layout, with the tensors that the graphs use.
 * @param {string} configs Folder of model_index.json and each part's config.
 * @param {string} target Folder to write.
 * @param {'F32' | 'F16'} dtype
 */
export async function writeRandomCheckpoint(configs, target, dtype) {
  await cp(configs, target, { recursive: true });
  const source = await openFolder(configs);
  for (const { folder, file, config, graphs, unbiased } of models) {
    if (!existsSync(path.join(configs, folder))) continue;
    if (folder.startsWith('text_encoder'))
      await writeTokenizer(path.join(target, folder.replace('text_encoder', 'tokenizer')));
    const wanted = recorder(unbiased);
    const settings = config(await readConfig(source, `${folder}/config.json`));
    for (const graph of graphs) graph(wanted, settings);
    await writeTensors(wanted.tensors, path.join(target, folder, `${file}.safetensors`), dtype);
  }
}

/**
 * Writes a ControlNet of random weights in diffusers' layout.
 * @param {string} configs Folder of its config.json.
 * @param {string} target Folder to write.
 * @param {'F32' | 'F16'} dtype
 */
export async function writeRandomControlNet(configs, target, dtype) {
  await cp(configs, target, { recursive: true });
  const config = await readConfig(await openFolder(configs), 'config.json');
  const checkpoint = recorder(/\.to_[qkv]$/);
  await loadControlNet({ checkpoint, config, backend: {} });
  await writeTensors(checkpoint.tensors, path.join(target, `${stem}.safetensors`), dtype);
}

async function writeTensors(shapes, file, dtype) {
  const tensors = [...shapes].map(([name, shape]) => randomTensor(name, shape, dtype));
  await mkdir(path.dirname(file), { recursive: true });
  await pipeline(Readable.from(writeSafetensors(tensors), { objectMode: true }), createWriteStream(file));
}

async function writeTokenizer(folder) {
  const { vocab, merges } = clipVocabulary();
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'vocab.json'), JSON.stringify(vocab));
  await writeFile(path.join(folder, 'merges.txt'), merges);
}

/** Acts as a checkpoint that has every tensor that a graph could use, and records those that it uses. */
function recorder(unbiased) {
  const tensors = new Map();
  return {
    tensors,
    unused: () => [],
    has: (name) => !(name.endsWith('.bias') && unbiased?.test(name.slice(0, -'.bias'.length))),
    tensor(name, shape) {
      tensors.set(name, shape);
      return { name, dtype: 'F32', shape, file: { location: 'none' }, offset: 0, length: 0 };
    },
  };
}

/** Normally distributed weights, scaled to keep activations stable; norms near one, biases near zero. */
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

/** An offset into the noise for each tensor, so that tensors of one shape differ. */
function start(name, length) {
  let hash = 0;
  for (const character of name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) >>> 0;
  return hash % length;
}

let noise;

/** A million normal numbers, which all tensors share at different offsets. */
function sharedNoise() {
  noise ??= torchCpu(1).randn(1_000_003);
  return noise;
}

/** Rounds to half precision, as bits; values below its normal range become zero. */
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
