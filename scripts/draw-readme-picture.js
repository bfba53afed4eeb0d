// Draws docs/embedded-model.png, the picture that the README opens with, and docs/noise-to-picture.gif, a run of the
// embedded model step by step: `npm run build && node scripts/draw-readme-picture.js`.
import { mkdir, writeFile } from 'node:fs/promises';
import { animate, contactSheet, enlarge, loadPipeline, recordRun } from '@sd/pipeline';

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
const { result, previews } = await recordRun(sd.stream({ prompt: 'two red balloons in the sky', ...settings }));
await sd.dispose();

await mkdir('docs', { recursive: true });
await writeFile('docs/embedded-model.png', await contactSheet(images, { columns: 6, gap: 4 }).toPng());

const frames = [...previews[0], ...result.images].map((image) => enlarge(image, side / image.width));
const delay = frames.map((_, i) => (i < frames.length - 1 ? 120 : 2500));
await writeFile('docs/noise-to-picture.gif', await animate(frames, { delay }));
