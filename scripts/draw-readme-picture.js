// Draws docs/embedded-model.png, the picture that the README opens with: `npm run build && node scripts/draw-readme-picture.js`.
import { mkdir, writeFile } from 'node:fs/promises';
import { encodePng, loadPipeline } from '@sd/pipeline';

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
  'a ship, watercolor painting',
  'a mushroom in a forest',
];
const columns = 6;
const gap = 4;

const sd = await loadPipeline();
const images = [];
for (const prompt of prompts) {
  const result = await sd.generate({ prompt, seed: 1, steps: 30, guidanceScale: 5 });
  images.push(result.images[0]);
}
await sd.dispose();

const side = images[0].width;
const rows = Math.ceil(images.length / columns);
const [width, height] = [columns * (side + gap) - gap, rows * (side + gap) - gap];
const data = new Uint8ClampedArray(4 * width * height);
images.forEach((image, i) => {
  const [left, top] = [(i % columns) * (side + gap), Math.floor(i / columns) * (side + gap)];
  for (let y = 0; y < side; y++)
    data.set(image.data.subarray(4 * side * y, 4 * side * (y + 1)), 4 * ((top + y) * width + left));
});
await mkdir('docs', { recursive: true });
await writeFile('docs/embedded-model.png', await encodePng({ width, height, data }));
