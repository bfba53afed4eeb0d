import { openFolder } from '@sd/backend-node';
import { openSafetensors, openWeights, readConfig, writeSafetensors } from '@sd/weights';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { fileOf, floats, memorySource } from '../../../weights/test/memory.js';
import { t2iAdapterConfig } from '../../src/index.js';
import { t2iAdapterFile } from '../../src/t2i-adapter/single-file.js';

const file = 'diffusion_pytorch_model.safetensors';

/** As the first adapters were saved: two residual blocks to a stage, numbered through. */
function original(name: string): string {
  return name
    .replace('adapter.', '')
    .replace(/^body\.(\d+)\.resnets\.(\d+)/, (_, stage, block) => `body.${2 * Number(stage) + Number(block)}`)
    .replace(/^body\.(\d+)\.in_conv/, (_, stage) => `body.${2 * Number(stage)}.in_conv`);
}

describe.each(['t2i-adapter', 't2i-adapter-sdxl'])('%s in one file', (name) => {
  test.each(['diffusers', 'original'])('by %s names has the config and the tensors of its folder', async (names) => {
    const folder = await openFolder(fixture(`adapters/${name}`));
    const { tensors } = await openSafetensors(folder, file);
    const bytes = await folder.read(file);
    const chunks: Uint8Array[] = [];
    const renamed = [...tensors.values()].map(({ offset, length, ...tensor }) => ({
      ...tensor,
      name: names === 'original' ? original(tensor.name) : tensor.name,
      bytes: () => bytes.subarray(offset, offset + length),
    }));
    for await (const chunk of writeSafetensors(renamed)) chunks.push(chunk);
    const source = memorySource({ 'adapter.safetensors': Buffer.concat(chunks) });
    const { checkpoint, config } = await t2iAdapterFile(await openWeights(source, 'adapter.safetensors'));
    expect(t2iAdapterConfig(config)).toEqual(t2iAdapterConfig(await readConfig(folder, 'config.json')));
    expect([...checkpoint.names].sort()).toEqual([...tensors.keys()].sort());
  });
});

test('a light adapter by its authors’ names has the config and the tensors of diffusers’', async () => {
  const channels = [32, 64, 128, 128];
  const tensors = channels.flatMap((out, stage) => {
    const [at, inner] = [`adapter.body.${stage}`, out / 4];
    const blocks = [0, 1, 2, 3].flatMap((block) =>
      ['block1', 'block2'].map((conv): [string, number[]] => [`${at}.resnets.${block}.${conv}`, [inner, inner, 3, 3]]),
    );
    const layers: [string, number[]][] = [
      [`${at}.in_conv`, [inner, stage === 0 ? 192 : channels[stage - 1], 1, 1]],
      ...blocks,
      [`${at}.out_conv`, [out, inner, 1, 1]],
    ];
    return layers.flatMap(([name, shape]) => [floatsOf(`${name}.weight`, shape), floatsOf(`${name}.bias`, [shape[0]])]);
  });
  const authors = (name: string) => name.replace('adapter.', '').replace(/^(body\.\d+)\.resnets\./, '$1.body.');
  const [want, got] = await Promise.all(
    [(name: string) => name, authors].map(async (rename) => {
      const file = await fileOf(tensors.map((tensor) => ({ ...tensor, name: rename(tensor.name) })));
      return t2iAdapterFile(await openWeights(memorySource({ 'x.safetensors': file }), 'x.safetensors'));
    }),
  );
  expect(t2iAdapterConfig(got.config)).toEqual(t2iAdapterConfig(want.config));
  expect(t2iAdapterConfig(got.config)).toMatchObject({ light: true, imageChannels: 3, resnets: 4 });
  expect([...got.checkpoint.names]).toEqual([...want.checkpoint.names]);
});

/** A tensor of zeros. */
function floatsOf(name: string, shape: readonly number[]) {
  return floats(name, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
}

test('a file without an adapter is refused', async () => {
  const folder = await openFolder(fixture('models/taesd'));
  const source = memorySource({ [file]: await folder.read(file) });
  await expect(t2iAdapterFile(await openWeights(source, file))).rejects.toMatchObject({ code: 'missing-tensor' });
});
