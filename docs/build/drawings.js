// npm run build && node docs/build/drawings.js: the images of docs/concepts.md, drawn by the embedded model into
// docs/concepts/. Unlike the other figures they are not compared by CI: their last bits differ between machines.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { row, tensor, torchCpu } from '@sd/core';
import { contactSheet, createImage, enlarge, imageTensor } from '@sd/image';
import { loadPipeline } from '@sd/pipeline';
import { toJpeg } from '../../scripts/support/jpeg.js';

/** @typedef {import('@sd/image').SdImage} SdImage */

const folder = path.resolve(import.meta.dirname, '../concepts');
const settings = { prompt: 'a blue car on a road', steps: 30, guidanceScale: 5, seed: 1 };
const side = 128;

const sd = await loadPipeline();
const { vae, scheduler } = sd.stages;
const [car] = (await sd.generate(settings)).images;

/** @type {Record<string, () => Promise<SdImage[]>>} rows of six images, by the names of their files */
const sheets = {
  'latents.jpg': latentChannels,
  'forward.jpg': forwardProcess,
  'steps.jpg': stepByStep,
  'guidance.jpg': () => each([1, 2, 4, 7.5, 12, 20], (guidanceScale) => ({ guidanceScale })),
  'strength.jpg': () =>
    each([0.2, 0.4, 0.6, 0.7, 0.85, 1], (strength) => ({
      prompt: 'a red car in the snow',
      image: car,
      strength,
      seed: 2,
    })),
};

await mkdir(folder, { recursive: true });
for (const [name, draw] of Object.entries(sheets)) {
  const images = await draw();
  await writeFile(path.join(folder, name), await toJpeg(contactSheet(images, { columns: 6, gap: 4 }), 80));
}
await sd.dispose();

/** One image for each value. @param {readonly number[]} values @param {(value: number) => object} options */
async function each(values, options) {
  const images = [];
  for (const value of values) images.push(...(await sd.generate({ ...settings, ...options(value) })).images);
  return images;
}

/** The image, its four channels of latents, and the image that the decoder makes of them. */
async function latentChannels() {
  const { dims, data } = await encoded();
  const pixels = dims[2] * dims[3];
  const channels = Array.from({ length: dims[1] }, (_, i) =>
    grayImage(data.subarray(i * pixels, (i + 1) * pixels), dims[3]),
  );
  return [
    car,
    ...channels.map((image) => enlarge(image, side / image.width)),
    await decoded(tensor('float32', dims, data)),
  ];
}

/** The image at rising noise levels of the model's own schedule. */
async function forwardProcess() {
  const { dims, data } = await encoded();
  const noise = torchCpu(7).randn(data.length);
  // The first of a thousand levels is the noisiest.
  const { levels } = scheduler.plan(1000);
  const images = [];
  for (const index of [1000, 900, 750, 550, 300, 0]) {
    const { alpha, sigma } = levels[index];
    images.push(
      await decoded(
        tensor(
          'float32',
          dims,
          data.map((value, i) => alpha * value + sigma * noise[i]),
        ),
      ),
    );
  }
  return images;
}

/** Above, what the sampler holds at six of thirty steps; below, what the model estimates from it. */
async function stepByStep() {
  const shown = [0, 4, 8, 13, 20, 29];
  /** @type {[SdImage[], SdImage[]]} */
  const rows = [[], []];
  for await (const event of sd.stream(settings)) {
    if (event.type !== 'step' || !shown.includes(event.step)) continue;
    rows[0].push(await decoded(event.latents));
    rows[1].push(await decoded(event.denoised));
  }
  return rows.flat();
}

async function encoded() {
  const distribution = await vae.encode?.(imageTensor(car));
  if (distribution === undefined) throw new Error('The embedded model has no encoder.');
  return distribution.mean;
}

/** @param {import('@sd/core').Tensor<'float32'>} latents */
async function decoded(latents) {
  return createImage(row(await vae.decode(latents), 0));
}

/** Values from two standard deviations below zero to two above, as an image from black to white. @param {Float32Array} values @param {number} width */
function grayImage(values, width) {
  const pixels = Float32Array.from({ length: 3 * values.length }, (_, i) => values[i % values.length] / 2);
  return createImage(tensor('float32', [3, values.length / width, width], pixels));
}
