import { openFolder } from '@sd/backend-node';
import { Checkpoint, openModel, openWeights, renameTensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../fixtures/golden.js';
import { loadVae } from '../src/index.js';
import { originalVaeNames } from '../src/single-file.js';
import { backend, times, vaeIn } from './vae.js';

// The figures: fixtures/python/make.py sd3.
const folder = fixture('models/sd3');
const golden = readGolden('golden.safetensors', folder);
const tolerance = 1e-5;
const [scale, shift] = [1.5305, 0.0609];

async function expectFigures(row: string, vae: Awaited<ReturnType<typeof vaeIn>>) {
  expect(vae).toMatchObject({ latentChannels: 16, scaleFactor: 8, unusedTensors: [] });
  const { mean, std } = await vae.encode(golden('vae.image'));
  const picture = await vae.decode(times(golden('vae.latents'), scale, -shift * scale));
  await vae.dispose?.();
  expect(mean.dims).toEqual([1, 16, 8, 12]);
  expect(stageError(row, mean.data, times(golden('vae.mean'), scale, -shift * scale).data)).toBeLessThan(tolerance);
  const logVariance = std!.data.map((value) => 2 * Math.log(value / scale));
  expect(stageError(row, logVariance, golden('vae.logvar').data)).toBeLessThan(tolerance);
  expect(stageError(row, picture.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
}

test('the numbers of diffusers: 16 channels, scaled and shifted, no convolutions around the latents', async () => {
  await expectFigures('sd3', await vaeIn(folder));
});

test('the same of the original file', async () => {
  const prefix = 'first_stage_model.';
  const { tensors } = await openWeights(await openFolder(fixture('adapters/single-file')), 'sd3.safetensors');
  const own = [...tensors.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const bare = originalVaeNames(own);
  const names = (name: string) => (name.startsWith(prefix) ? bare(name.slice(prefix.length)) : undefined);
  const { config } = await openModel(
    { source: await openFolder(folder) },
    { folder: 'vae', stems: ['diffusion_pytorch_model'] },
  );
  const checkpoint = new Checkpoint('sd3.safetensors', renameTensors('sd3.safetensors', tensors, names));
  await expectFigures('single-file-sd3', await loadVae({ backend, checkpoint, config }));
});
