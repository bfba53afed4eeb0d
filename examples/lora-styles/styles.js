// node styles.js: the same images plain, in each of two styles, and in both at once. Strengths change between runs without
// a reload.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { contactSheet } from '@sd/image';
import { loadPipeline } from '@sd/pipeline';

const prompts = ['a red car on a road', 'a green house in the snow', 'a blue fish under the sea', 'a cat on a table'];
const styles = [
  { blueprint: 0, dusk: 0 },
  { blueprint: 1, dusk: 0 },
  { blueprint: 0, dusk: 1 },
  { blueprint: 0.7, dusk: 0.7 },
  // Strong at first, when colours come about, then ever less.
  { blueprint: (fraction) => 1.5 * (1 - fraction), dusk: 0 },
];

const sd = await loadPipeline();
for (const name of ['blueprint', 'dusk']) {
  const { kind } = await sd.attach(fileURLToPath(new URL(`${name}.safetensors`, import.meta.url)));
  console.log(`attached ${name}, a ${kind}`);
}

const images = [];
for (const adapters of styles) {
  for (const prompt of prompts) {
    const result = await sd.generate({ prompt, adapters, seed: 7, guidanceScale: 5 });
    images.push(...result.images);
  }
}
await writeFile('styles.png', await contactSheet(images, { columns: prompts.length }).toPng());
console.log(`styles.png: ${styles.length} rows of ${prompts.length}`);
await sd.dispose();
