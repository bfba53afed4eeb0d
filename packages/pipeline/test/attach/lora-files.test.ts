import { readFileSync } from 'node:fs';
import { createNodeBackend } from '@sd/backend-node';
import type { Source } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture, relativeError } from '../../../../fixtures/golden.js';
import { readSafetensors, safetensorsFile } from '../../../../fixtures/weight-files.js';
import { inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { road } from '../support.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

type Tensors = ReturnType<typeof readSafetensors>;
const tensorsOf = (file: string): Tensors => readSafetensors(readFileSync(fixture(`adapters/${file}`)));

/** A folder in memory. */
function folder(files: Readonly<Record<string, Uint8Array>>): Source {
  return {
    name: 'memory',
    read: async (path, range) => (range === undefined ? files[path] : files[path].subarray(range.start, range.end)),
    size: async (path) => files[path]?.length,
  };
}
const fileOf = (tensors: Tensors) => safetensorsFile([...tensors].map(([name, tensor]) => ({ ...tensor, name })));
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const { bytes: vectors, ...shapeOfVectors } = tensorsOf('textual-inversion/blob.safetensors').get('emb_params')!;
const kohya = tensorsOf('lora-kohya/style.safetensors');
const peft = new Map(
  [...tensorsOf('lora-peft/pytorch_lora_weights.safetensors')].flatMap(([name, tensor]) =>
    name.startsWith('unet.') ? [[name.replace('unet.', 'base_model.model.'), tensor] as const] : [],
  ),
) as Tensors;

let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(fixture('models/sd1'), { backend });
});
afterAll(() => sd.dispose());

const request = { ...road, prompt: 'a blue blob on a road', steps: 1, output: 'latents' } as const;
const drawn = async (adapters = {}) => (await sd.generate({ ...request, adapters })).latents!.data;

/** The latents of a run with an attached file, which is detached again. */
async function attached(source: Source, path?: string, strength = 1) {
  const { warnings } = await sd.attach(source, { name: 'style', path });
  const latents = await drawn({ style: strength });
  await sd.detach('style');
  return { latents, warnings };
}

describe('words that are bundled in a LoRA', () => {
  const bundled = (name: string) => {
    const tensor = { ...shapeOfVectors, bytes: vectors, name };
    return folder({ 'style.safetensors': fileOf(new Map([...kohya, [name, tensor]])) });
  };

  test('are taught while it is attached, at any strength', async () => {
    const before = await drawn();
    await sd.attach(
      folder({ 'blob.safetensors': readFileSync(fixture('adapters/textual-inversion/blob.safetensors')) }),
      {
        name: 'blob',
        path: 'blob.safetensors',
      },
    );
    const taught = await drawn();
    const plain = folder({ 'style.safetensors': fileOf(kohya) });
    const want = await attached(plain, 'style.safetensors');
    await sd.detach('blob');
    expect(taught).not.toEqual(before);
    for (const name of ['bundle_emb.blob.string_to_param.*', 'bundle_emb.blob.clip_l']) {
      expect(await attached(bundled(name), 'style.safetensors')).toEqual({ latents: want.latents, warnings: [] });
    }
    const off = await attached(bundled('bundle_emb.blob.clip_l'), 'style.safetensors', 0);
    expect(relativeError(off.latents, taught)).toBeLessThan(1e-5);
    expect(await drawn()).toEqual(before);
  });

  test('are listed by inspect(); those of another model’s encoder are named', async () => {
    const source = bundled('bundle_emb.blob.clip_g');
    expect((await inspect(source, { path: 'style.safetensors' })).details).toMatchObject({ words: ['blob'] });
    const { warnings } = await attached(source, 'style.safetensors');
    expect(warnings.map(({ message }) => message)).toEqual([
      'The file has tensors that have no use here: bundle_emb.blob.clip_g.',
    ]);
  });

  test('of another width are refused', async () => {
    const name = 'bundle_emb.rose.clip_l';
    const odd = { name, dtype: 'F32', shape: [1, 3], bytes: Buffer.alloc(12) };
    const source = folder({ 'style.safetensors': fileOf(new Map([...kohya, [name, odd]])) });
    await expect(sd.attach(source, { path: 'style.safetensors' })).rejects.toMatchObject({
      code: 'misshapen-tensor',
      tensor: name,
    });
    expect(sd.attached).toEqual([]);
  });
});

describe('a folder that PEFT saved', () => {
  const [rank] = [...peft].find(([name]) => name.includes('lora_A'))![1].shape as [number];
  const saved = (config: unknown) =>
    folder({ 'adapter_model.safetensors': fileOf(peft), 'adapter_config.json': text(config) });

  test('is attached as its file is, with the alpha of its config', async () => {
    const plain = await attached(folder({ 'adapter_model.safetensors': fileOf(peft) }), undefined, 4);
    const source = saved({ peft_type: 'LORA', r: rank, lora_alpha: 4 * rank });
    expect(await inspect(source)).toMatchObject({ kind: 'lora', layout: 'PEFT' });
    expect(await attached(source)).toEqual(plain);
    expect(await attached(source, 'adapter_model.safetensors')).toEqual(plain);
  });

  test('with a config that cannot be is refused, by its name', async () => {
    await expect(sd.attach(saved({ lora_alpha: '8' }))).rejects.toThrow(
      'adapter_config.json: lora_alpha is "8", not a number.',
    );
  });
});

test('two LoRAs of one file name, from two folders', async () => {
  const [a, b] = [peft, kohya].map((tensors) => folder({ 'pytorch_lora_weights.safetensors': fileOf(tensors) }));
  await sd.attach(a, { name: 'a' });
  await sd.attach(b, { name: 'b' });
  const both = await drawn({ a: 0.5, b: 0.5 });
  await sd.detach('a');
  expect(await drawn({ b: 0.5 })).not.toEqual(both);
  await sd.detach('b');
});
