import { readFileSync } from 'node:fs';
import type { Source } from '@sd/core';
import type { TensorLookup } from '@sd/graph';
import { clipTextConfig, clipTextGraph } from '@sd/text-encoder';
import { originalUnetNames, unetConfig, unetGraph } from '@sd/unet';
import { Config, openWeights, type TensorToWrite, writeSafetensors } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { type Lora, type LoraComponent, openLora } from '../../src/index.js';
import { families } from '../families.js';

const dataOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../pipeline/test/data/headers/${name}.json`, import.meta.url), 'utf8'));
const configs: Record<string, Record<string, Record<string, unknown>>> = dataOf('configs');

/** Modules of a full-size U-Net that have a matrix or kernels, by the original's names, and their shapes. */
function unetModules(model: string): Map<string, readonly number[]> {
  const modules = new Map<string, readonly number[]>();
  const visit = (node: object, path: string): void => {
    for (const [key, inner] of Object.entries(node)) {
      if (!Array.isArray(inner)) visit(inner, `${path}${key}.`);
      else if (key === 'weight' && inner.length > 1) modules.set(path.slice(0, -1), inner);
    }
  };
  visit(dataOf(model).model.diffusion_model, '');
  return modules;
}

/** A LoRA of rank 1 over modules of these shapes. */
async function loraOver(modules: Iterable<readonly [string, readonly number[]]>): Promise<Lora> {
  const half = (name: string, shape: readonly number[]): TensorToWrite => {
    const size = shape.reduce((a, b) => a * b);
    return { name, dtype: 'F16', shape, bytes: () => new Uint8Array(2 * size) };
  };
  const tensors = [...modules].flatMap(([name, [out, channels, ...kernel]]) => [
    half(`${name}.lora_down.weight`, [1, channels, ...kernel]),
    half(`${name}.lora_up.weight`, [out, 1, ...kernel.map(() => 1)]),
  ]);
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const source: Source = {
    size: async () => bytes.length,
    read: async (_, range) => bytes.subarray(range?.start, range?.end),
  };
  return openLora(await openWeights(source, 'style.safetensors'), { name: 'style', families });
}

const underscored = (name: string) => `lora_unet_${name.replaceAll('.', '_')}`;

/** A checkpoint that has every tensor, of any shape: graphs are written, not loaded. */
function anyCheckpoint(lacks: (name: string) => boolean): TensorLookup {
  const file = { location: 'model', read: async () => new Uint8Array() };
  return {
    has: (name) => !lacks(name),
    tensor: (name, shape) => ({ name, dtype: 'F16', shape, file, offset: 0, length: 0 }),
  };
}

function writeUnet(model: string, lora: Lora): void {
  const config = unetConfig(new Config('config.json', configs[model].unet));
  unetGraph(
    anyCheckpoint(() => false),
    config,
    { extensions: extensionsIn(lora, 'unet') },
  );
}

const extensionsIn = (lora: Lora, component: LoraComponent) => {
  const extension = lora.extensions[component];
  return extension === undefined ? [] : [extension];
};

const models = [
  ['sd15', 'sd1', 'Stable Diffusion 1'],
  ['sd21', 'sd2', 'Stable Diffusion 2'],
  ['sdxl', 'sdxl', 'SDXL'],
  ['sdxl-refiner', 'sdxl-refiner', 'the SDXL refiner'],
] as const;

describe.each(models)('a LoRA of all layers of %s', (model, family) => {
  const modules = unetModules(model);

  test('by the original’s names, as kohya writes them for SDXL', async () => {
    const lora = await loraOver([...modules].map(([name, shape]) => [underscored(name), shape]));
    expect(lora.family).toBe(family);
    expect(lora.extensions.unet).toBeDefined();
    writeUnet(model, lora);
    lora.check();
    expect(lora.unmatched()).toEqual([]);
  });

  test('by diffusers’ names', async () => {
    const names = originalUnetNames([...modules.keys()].map((name) => `${name}.weight`));
    const renamed = [...modules].map(
      ([name, shape]) => [String(names(`${name}.weight`)).replace(/\.weight$/, ''), shape] as const,
    );
    for (const write of [underscored, (name: string) => `unet.${name}`]) {
      const lora = await loraOver(renamed.map(([name, shape]) => [write(name), shape]));
      writeUnet(model, lora);
      expect(lora.unmatched()).toEqual([]);
    }
  });

  test('is for that model alone', async () => {
    const attentions = [...modules].filter(([name]) => name.includes('attn2.to_k'));
    const lora = await loraOver(attentions.map(([name, shape]) => [underscored(name), shape]));
    for (const [other, , title] of models.filter(([name]) => name !== model)) {
      const own = models.find(([name]) => name === model)?.[2];
      expect(title).not.toBe(own);
      expect(() => {
        writeUnet(other, lora);
        lora.check();
      }).toThrow(
        new RegExp(
          `^style.safetensors: (is for another model: its tensor|changes nothing).+The file is for ${own}\\.$`,
        ),
      );
    }
  });
});

test('SDXL’s text encoders, by kohya’s names', async () => {
  const layer = (prefix: string, width: number) =>
    [[`${prefix}_text_model_encoder_layers_0_self_attn_q_proj`, [width, width]]] as const;
  const lora = await loraOver([
    ...layer('lora_te1', 768),
    ...layer('lora_te2', 1280),
    ['lora_te2_text_projection', [1280, 1280]],
  ]);
  expect(lora.family).toBe('sdxl');
  const config = (part: string) => clipTextConfig(new Config('config.json', configs.sdxl[part]));
  const checkpoint = anyCheckpoint((name) => name === 'text_projection.bias');
  clipTextGraph(checkpoint, config('text_encoder'), { extensions: extensionsIn(lora, 'text_encoder') });
  clipTextGraph(checkpoint, config('text_encoder_2'), { extensions: extensionsIn(lora, 'text_encoder_2') });
  lora.check();
  expect(lora.unmatched()).toEqual([]);
});
