// Draws the images of the README: docs/embedded-model.jpg, docs/noise-to-picture.gif (a run of the embedded model, step by
// step), docs/attention-maps.jpg, docs/inpainting.jpg, and docs/controlnet-edges.jpg (the last output of examples/controlnet-edges):
// `npm run build && npm start -w @sd/example-controlnet-edges && node scripts/draw-readme-picture.js`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { animate, contactSheet, enlarge, overlay, readImage } from '@sd/image';
import { folder as inpaintingUnet } from '@sd/model-tiny-inpaint';
import { loadPipeline, recordRun } from '@sd/pipeline';
import { toJpeg } from './support/jpeg.js';

const prompts = [
  'a blue car on a road',
  'a red apple',
  'a yellow fish under the sea',
  'a green tree in the snow',
  'a purple house at night',
  'a rocket in space',
  'two red balloons in the sky',
  'a cat on the grass',
  'an orange cactus in the desert',
  'a red heart, pixel art',
  'a boat, watercolor painting',
  'a mushroom in a forest',
];
const settings = { seed: 1, steps: 30, guidanceScale: 5 };
const side = 128;

const sd = await loadPipeline();
const images = [];
for (const prompt of prompts) images.push(...(await sd.generate({ prompt, ...settings })).images);
const words = await sd.generate({ prompt: prompts[0], ...settings, attentionMaps: { words: ['blue', 'car', 'road'] } });
const { result, previews } = await recordRun(sd.stream({ prompt: 'two red balloons in the sky', ...settings }));
await sd.dispose();

await mkdir('docs', { recursive: true });
await writeFile('docs/embedded-model.jpg', await toJpeg(contactSheet(images, { columns: 6, gap: 4 })));

const heated = words.attentionMaps[0].map((map) => overlay(words.images[0], map));
await writeFile(
  'docs/attention-maps.jpg',
  await toJpeg(contactSheet([words.images[0], ...heated], { columns: 4, gap: 4 })),
);

const everyOther = previews[0].filter((_, i) => i % 2 === 0);
const frames = [...everyOther, ...result.images].map((image) => enlarge(image, side / image.width));
const delay = frames.map((_, i) => (i < frames.length - 1 ? 240 : 2500));
await writeFile('docs/noise-to-picture.gif', await animate(frames, { delay }));

const [road] = images;
const data = Uint8ClampedArray.from({ length: 4 * side * side }, (_, i) => {
  const column = (i >> 2) % side;
  return i % 4 === 3 || (column >= 16 && column < side - 16) ? 255 : 0;
});
const mask = { width: side, height: side, data };
const painter = await loadPipeline(undefined, { components: { unet: inpaintingUnet } });
const repainted = [road];
for (const prompt of ['a red truck on a road', 'a horse on a road', 'a mushroom on a road']) {
  repainted.push(...(await painter.generate({ prompt, image: road, mask, ...settings })).images);
}
await painter.dispose();
await writeFile('docs/inpainting.jpg', await toJpeg(contactSheet(repainted, { columns: 4, gap: 4 })));

const edges = await readImage(await readFile('examples/controlnet-edges/edges.png'));
await writeFile('docs/controlnet-edges.jpg', await toJpeg(edges));
