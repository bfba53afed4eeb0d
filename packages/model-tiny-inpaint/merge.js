// Writes dist/unet: the embedded model's U-Net with weights/difference.safetensors merged into it. The repository contains
// only the difference, a twentieth of the size: the tensors of the outermost blocks, and low-rank adapters of the others with
// PEFT's names.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { openFolder } from '@sd/backend-node';
import { folder as embedded } from '@sd/model-tiny';
import { openSafetensors, toFloat32, toHalf, writeSafetensors } from '@sd/weights';

/** @typedef {import('@sd/weights').TensorView & { bytes: Uint8Array }} Tensor */

const weights = 'diffusion_pytorch_model.safetensors';
const base = new URL('unet/', embedded);
const out = new URL('dist/unet/', import.meta.url);

const tensors = await tensorsIn(base, weights);
const difference = await tensorsIn(new URL('weights/', import.meta.url), 'difference.safetensors');
const merged = [...tensors].map(([name, tensor]) => {
  const { dtype, shape, bytes } = difference.get(name) ?? { ...tensor, bytes: adapted(name, tensor) };
  return { name, dtype, shape, bytes: () => bytes };
});
await mkdir(out, { recursive: true });
await writeFile(new URL(weights, out), writeSafetensors(merged));

const config = JSON.parse(await readFile(new URL('config.json', base), 'utf8'));
config.in_channels = difference.get('conv_in.weight')?.shape[1];
await writeFile(new URL('config.json', out), `${JSON.stringify(config, null, 2)}\n`);

/** @param {URL} folder @param {string} name @returns {Promise<Map<string, Tensor>>} */
async function tensorsIn(folder, name) {
  const { tensors } = await openSafetensors(await openFolder(folder), name);
  const file = await readFile(new URL(name, folder));
  const views = [...tensors.values()].map((view) => ({
    ...view,
    bytes: file.subarray(view.offset, view.offset + view.length),
  }));
  return new Map(views.map((view) => [view.name, view]));
}

/**
 * Adds a low-rank adapter to a tensor: up [out, rank] times down [rank, in]; a convolution's kernel belongs to `in`.
 * @param {string} name
 * @param {Tensor} tensor
 */
function adapted(name, tensor) {
  const layer = name.replace(/\.weight$/, '');
  const [a, b] = ['lora_A', 'lora_B'].map((part) => difference.get(`${layer}.${part}.weight`));
  if (a === undefined || b === undefined) return tensor.bytes;
  const [down, up] = [a, b].map(({ dtype, bytes }) => toFloat32(dtype, bytes));
  const rank = a.shape[0];
  const width = down.length / rank;
  const sums = toFloat32(tensor.dtype, tensor.bytes).map((value, i) => {
    const row = Math.floor(i / width);
    const column = i % width;
    let sum = value;
    for (let k = 0; k < rank; k++) sum += up[row * rank + k] * down[k * width + column];
    return sum;
  });
  return new Uint8Array(toHalf(sums).buffer);
}
