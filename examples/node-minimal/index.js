import { writeFile } from 'node:fs/promises';
import { loadPipeline } from '@sd/pipeline';

const sd = await loadPipeline();
const { images } = await sd.generate({ prompt: 'a small cat', seed: 3, guidanceScale: 5 });
await writeFile('cat.png', await images[0].toPng());
