import { createNodeBackend, openFolder } from '@sd/backend-node';
import { loadOnnxUnet } from '@sd/unet/onnx';
import { afterAll, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { loadOnnxControlNet } from '../../src/index.js';

const tolerance = 1e-5;
const backend = createNodeBackend();
afterAll(() => backend.dispose());

const sd1 = readGolden();

test.each(['onnxstack', 'amblyopius'])('%s: residuals, and a U-Net that takes them', async (convention) => {
  const source = await openFolder(fixture(`adapters/controlnet-onnx/${convention}`));
  const unet = await loadOnnxUnet({ backend, source });
  const net = await loadOnnxControlNet({ backend, source, path: 'controlnet/model.onnx' });
  expect(net.outputs).toEqual(unet.residuals);
  expect(net.added).toBe(false);
  const [sample, context] = [sd1('unet.sample'), sd1('unet.context')];
  const plain = await unet.predict({ sample, timestep: 500, context });
  expect(stageError('controlnet-onnx', plain.data, sd1('unet.out.t500').data)).toBeLessThan(tolerance);

  const image = { ...sd1('vae.image'), data: sd1('vae.image').data.map((value) => (value + 1) / 2) };
  const call = { sample, timestep: 500, context, features: await net.readImage(image) };
  const [once, twice] = await Promise.all(
    [1, 2].map((scale) => net.predict({ ...call, scales: net.outputs.map(() => scale) })),
  );
  for (const name of net.outputs) expect(twice[name].data).toEqual(once[name].data.map((value) => 2 * value));
  const controlled = await unet.predict({ sample, timestep: 500, context, conditions: once });
  expect(controlled.data).not.toEqual(plain.data);
  await Promise.all([unet.dispose?.(), net.dispose()]);
});

test('refuses another kind of model', async () => {
  const source = await openFolder(fixture('models/sd1-onnx'));
  await expect(loadOnnxControlNet({ backend, source, path: 'unet/model.onnx' })).rejects.toThrow('it is no ControlNet');
});
