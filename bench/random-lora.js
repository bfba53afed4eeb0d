import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { openFolder } from '@sd/backend-node';
import { unetConfig, unetGraph } from '@sd/unet';
import { openCheckpoint, readConfig, writeSafetensors } from '@sd/weights';
import { randomTensor } from './random-checkpoint.js';

/**
 * Writes a LoRA of random float16 factors for all linear layers of a U-Net's transformers, in kohya's format.
 * @param {string} model Folder of the model, in diffusers' layout.
 * @param {string} target File to write.
 * @returns The number of layers that it changes.
 */
export async function writeRandomLora(model, target, { rank }) {
  const source = await openFolder(model);
  const config = unetConfig(await readConfig(source, 'unet/config.json'));
  const checkpoint = await openCheckpoint(source, 'unet', { stems: ['diffusion_pytorch_model'] });
  const layers = new Map();
  const recorder = {
    name: 'recorder',
    extend: () => ({
      layer({ module, weight, rows, output }) {
        if (/\.attentions\./.test(module)) layers.set(module, [rows?.end ?? weight.shape[0], weight.shape[1]]);
        return output;
      },
    }),
  };
  unetGraph(checkpoint, config, { extensions: [recorder] });
  const tensors = [...layers].flatMap(([module, [out, width]]) => {
    const name = `lora_unet_${module.replaceAll('.', '_')}`;
    return [
      randomTensor(`${name}.lora_down.weight`, [rank, width], 'F16'),
      randomTensor(`${name}.lora_up.weight`, [out, rank], 'F16'),
      randomTensor(`${name}.alpha`, [1], 'F16'),
    ];
  });
  await pipeline(Readable.from(writeSafetensors(tensors), { objectMode: true }), createWriteStream(target));
  return layers.size;
}
