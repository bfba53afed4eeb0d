import { createNodeBackend, openFolder } from '@sd/backend-node';
import { tensor } from '@sd/core';
import type { ModelCall } from '@sd/guidance';
import { loadUnet } from '@sd/unet';
import { Config, openCheckpoint, readConfig } from '@sd/weights';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { type ControlNet, controlNetCondition, controlNetInputs, loadControlNet } from '../../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const folder = fixture('models/sd1-controlnet');
const golden = readGolden('golden.safetensors', folder);

/** The ControlNet of the figures, with config values put over its own. */
async function controlNet(values: Record<string, unknown> = {}): Promise<ControlNet> {
  const source = await openFolder(folder);
  const config = await readConfig(source, 'config.json');
  const checkpoint = await openCheckpoint(source, '.', { stems: ['diffusion_pytorch_model'] });
  const changed = new Config(config.file, { ...Object.fromEntries(config.entries()), ...values });
  return loadControlNet({ backend, checkpoint, config: changed });
}

const call = (): ModelCall => {
  const context = golden('control.context');
  const texts = Array.from({ length: context.dims[0] }, () => ({ hidden: tensor('float32', [0, 0]) }));
  return { sample: golden('control.sample'), timestep: 500, context, texts, negative: texts[0] };
};

describe('the numbers of diffusers', () => {
  test('what a ControlNet adds, and the U-Net that it is added to', async () => {
    const net = await controlNet();
    const features = await net.readImage(golden('control.image'));
    const residuals = await controlNetCondition({ net, features, strength: () => 0.7 })(call());
    await net.dispose?.();
    expect(net.unusedTensors).toEqual([]);
    const down = net.outputs.slice(0, -1).map((_, i) => golden(`control.down.${i}`));
    net.outputs.forEach((name, i) => {
      const want = down[i] ?? golden('control.mid');
      expect(residuals[name].dims).toEqual(want.dims);
      expect(stageError('controlnet', residuals[name].data, want.data)).toBeLessThan(1e-5);
    });

    const plain = await loadUnet({ source: await openFolder(fixture('models/sd1')), backend });
    const unet = plain.withExtensions([controlNetInputs(plain.config)]);
    const { sample, timestep, context } = call();
    const output = await unet.predict({ sample, timestep, context, conditions: residuals });
    expect(stageError('controlnet', output.data, golden('unet.out.t500').data)).toBeLessThan(1e-5);
    // Without a ControlNet the same U-Net is the plain one, to the bit.
    const without = await unet.predict({ sample, timestep, context });
    expect(without.data).toEqual((await plain.predict({ sample, timestep, context })).data);
    await Promise.all([unet.dispose?.(), plain.dispose?.()]);
  });
});
