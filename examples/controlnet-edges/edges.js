// node edges.js [IMAGE] [--prompt TEXT]: finds the edges of an image, and generates another image along them.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { cannyEdges, contactSheet, fitImage, readImage } from '@sd/image';
import { folder } from '@sd/model-tiny-controlnet';
import { loadPipeline } from '@sd/pipeline';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    prompt: { type: 'string', default: 'a green car in the snow' },
    model: { type: 'string' },
    controlnet: { type: 'string' },
  },
});
const { prompt, model, controlnet } = values;
if ((model === undefined) !== (controlnet === undefined)) {
  console.error(
    'Give both --model and --controlnet: a ControlNet fits only the kind of model that it was trained with.',
  );
  process.exit(2);
}

const sd = await loadPipeline(model);
await sd.attach(controlnet ?? folder, { name: 'edges' });
const settings = { guidanceScale: 5, seed: 5 };

const [path] = positionals;
const original = path
  ? await readImage(await readFile(path))
  : (await sd.generate({ ...settings, prompt: 'a red car on the right on a road' })).images[0];
// Sides in multiples of 64, as models like them, and no larger than they know.
const { sampleSize } = sd.stages.noisePredictor;
const largest = sampleSize * sd.stages.vae.scaleFactor;
const scale = Math.min(1, largest / Math.max(original.width, original.height));
const [width, height] = [original.width, original.height].map((side) =>
  Math.max(64, Math.floor((side * scale) / 64) * 64),
);
const image = fitImage(original, { width, height, fit: 'cover' });
const edges = cannyEdges(image);

const images = [image, edges];
for (const strength of [0.5, 1]) {
  const adapters = { edges: { image: edges, strength } };
  const result = await sd.generate({ ...settings, prompt, width, height, adapters });
  images.push(...result.images);
}
await writeFile('edges.png', await contactSheet(images, { columns: images.length }).toPng());
console.log(`edges.png: the image, its edges, and "${prompt}" along them, at strengths 0.5 and 1`);
await sd.dispose();
