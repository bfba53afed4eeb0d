/** Writes model-tiny.png: what the embedded model draws in Node. From the repository's root: node test-browser/data/make-model-tiny.js */
import { writeFile } from 'node:fs/promises';
import { loadPipeline } from '@sd/pipeline';

const sd = await loadPipeline();
const { images } = await sd.generate({ prompt: 'a blue car on a road', steps: 4, guidanceScale: 5, seed: 1 });
await writeFile(new URL('model-tiny.png', import.meta.url), await images[0].toPng());
await sd.dispose();
