import { expect, test } from 'vitest';
import { stageError } from '../../../fixtures/deviations.js';
import { coded, golden, scalingFactor, times } from './vae.js';

const tolerance = 1e-5;

test('the same mean, variance and image as diffusers', async () => {
  const { mean, std, unscaled, image, unused } = await coded();
  const logVariance = std.data.map((value) => 2 * Math.log(value / scalingFactor));
  expect(mean.dims).toEqual(golden('vae.mean').dims);
  expect(stageError('sd1', mean.data, times(golden('vae.mean'), scalingFactor).data)).toBeLessThan(tolerance);
  expect(stageError('sd1', unscaled.data, golden('vae.mean').data)).toBeLessThan(tolerance);
  expect(std.dims).toEqual(golden('vae.logvar').dims);
  expect(stageError('sd1', logVariance, golden('vae.logvar').data)).toBeLessThan(tolerance);
  expect(image.dims).toEqual(golden('vae.decoded').dims);
  expect(stageError('sd1', image.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
  expect(unused).toEqual([]);
});
