import { readFileSync } from 'node:fs';
import { torchCpu } from '@sd/core';
import { originalUnetNames } from '@sd/unet';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { fileOf, floats } from '../../../weights/test/memory.js';

const weights = 'diffusion_pytorch_model.safetensors';

/** Names of the tensors in a file. */
function namesIn(path: string): string[] {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  return Object.keys(JSON.parse(bytes.toString('utf8', 8, 8 + length))).filter((name) => name !== '__metadata__');
}

/** The original's names of a ControlNet's modules that a U-Net does not have. */
function originalControlName(name: string): string {
  return name
    .replace(/^controlnet_down_blocks\.(\d+)/, 'zero_convs.$1.0')
    .replace(/^controlnet_mid_block/, 'middle_block_out.0')
    .replace(/^controlnet_cond_embedding\.conv_in/, 'input_hint_block.0')
    .replace(/^controlnet_cond_embedding\.conv_out/, 'input_hint_block.14')
    .replace(/^controlnet_cond_embedding\.blocks\.(\d+)/, (_, i) => `input_hint_block.${2 * Number(i) + 2}`);
}

/** The original's names of a U-Net's tensors, by diffusers'. */
function originalNames(model: string): Map<string, string> {
  const prefix = 'model.diffusion_model.';
  const all = namesIn(`${fixture('adapters/single-file')}/${model}.safetensors`).flatMap((name) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );
  const translate = originalUnetNames(all);
  return new Map(all.map((name) => [translate(name), name]));
}

/** `up @ down`, of factors [rows, rank] and [rank, columns]. */
function product(up: Float32Array, down: Float32Array, rank: number): Float32Array {
  const [rows, columns] = [up.length / rank, down.length / rank];
  const result = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let r = 0; r < rank; r++)
      for (let j = 0; j < columns; j++) result[i * columns + j] += up[i * rank + r] * down[r * columns + j];
  return result;
}

/**
 * A Control-LoRA of random changes to a small U-Net, as ComfyUI's node saves one, and the whole ControlNet that it stands
 * for, by diffusers' names. What a U-Net does not have, and biases and norms, are those of the ControlNet in a folder.
 */
export async function controlLoraFiles(
  model: string,
  controlNet: string,
): Promise<{ readonly lora: Uint8Array; readonly merged: Uint8Array }> {
  const folders = { unet: `${fixture(`models/${model}`)}/unet`, net: fixture(controlNet) };
  const [unet, net] = [readGolden(weights, folders.unet), readGolden(weights, folders.net)];
  const inUnet = new Set(namesIn(`${folders.unet}/${weights}`));
  const original = originalNames(model);
  const { randn } = torchCpu(3);
  const lora = [floats('lora_controlnet', [0], [])];
  const merged = [];
  for (const name of namesIn(`${folders.net}/${weights}`)) {
    const { dims, data } = net(name);
    const saved = original.get(name) ?? originalControlName(name);
    if (dims.length < 2 || !inUnet.has(name)) {
      lora.push(floats(saved, dims, data));
      merged.push(floats(name, dims, data));
      continue;
    }
    const [out, channels, ...kernel] = dims;
    const rank = Math.min(3, out, channels);
    const up = randn(out * rank).map((value) => value * 0.1);
    const down = randn((rank * data.length) / out).map((value) => value * 0.1);
    const change = product(up, down, rank);
    const module = saved.replace(/\.weight$/, '');
    lora.push(floats(`${module}.up`, [out, rank, ...kernel.map(() => 1)], up));
    lora.push(floats(`${module}.down`, [rank, channels, ...kernel], down));
    merged.push(
      floats(
        name,
        dims,
        unet(name).data.map((value, i) => value + change[i]),
      ),
    );
  }
  return { lora: await fileOf(lora), merged: await fileOf(merged) };
}
