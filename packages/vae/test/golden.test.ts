import { expect, test } from 'vitest';
import { relativeError } from '../../../fixtures/golden.js';
import { coded, golden, scalingFactor, times } from './vae.js';

const tolerance = 1e-5;

test('the numbers of diffusers: moments and picture', async () => {
  const { mean, std, unscaled, picture, unused } = await coded();
  const logVariance = std.data.map((value) => 2 * Math.log(value / scalingFactor));
  expect(mean.dims).toEqual(golden('vae.mean').dims);
  expect(relativeError(mean.data, times(golden('vae.mean'), scalingFactor).data)).toBeLessThan(tolerance);
  expect(relativeError(unscaled.data, golden('vae.mean').data)).toBeLessThan(tolerance);
  expect(std.dims).toEqual(golden('vae.logvar').dims);
  expect(relativeError(logVariance, golden('vae.logvar').data)).toBeLessThan(tolerance);
  expect(picture.dims).toEqual(golden('vae.decoded').dims);
  expect(relativeError(picture.data, golden('vae.decoded').data)).toBeLessThan(tolerance);
  expect(unused).toEqual([]);
});
