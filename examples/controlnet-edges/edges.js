// node edges.js MODEL CONTROLNET PICTURE [PROMPT]: keeps a picture's edges, and draws something else along them.
import { readFile, writeFile } from 'node:fs/promises';
import { cannyEdges, contactSheet, fitPicture, loadPipeline, readPicture } from '@sd/pipeline';

const [model, controlNet, path, prompt = 'a house in the snow'] = process.argv.slice(2);
if (path === undefined) {
  console.error('usage: node edges.js MODEL CONTROLNET PICTURE [PROMPT]');
  process.exit(2);
}

const sd = await loadPipeline(model);
await sd.attach(controlNet, { name: 'edges' });

const given = await readPicture(await readFile(path));
// Sides in multiples of 64, as models like them, and no larger than they know.
const { sampleSize } = sd.stages.unet;
const largest = sampleSize * sd.stages.vae.scaleFactor;
const scale = Math.min(1, largest / Math.max(given.width, given.height));
const [width, height] = [given.width, given.height].map((side) => Math.max(64, Math.floor((side * scale) / 64) * 64));
const picture = fitPicture(given, { width, height, fit: 'cover' });
const edges = cannyEdges(picture);

const images = [picture, edges];
for (const strength of [0.5, 1]) {
  const controls = [{ name: 'edges', image: edges, strength }];
  const result = await sd.generate({ prompt, width, height, seed: 5, controls });
  images.push(...result.images);
}
await writeFile('edges.png', await contactSheet(images, { columns: images.length }).toPng());
console.log(`edges.png: the picture, its edges, and "${prompt}" along them, at strengths 0.5 and 1`);
await sd.dispose();
