// A program that build.js compiles. What cannot be inside it is next to it: the model, and ONNX Runtime's native code.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import { loadPipeline } from '@sd/pipeline';

const [prompt = 'a red apple', file = 'image.png'] = process.argv.slice(2);
const here = path.dirname(process.execPath);
const backend = createNodeBackend({ runtime: path.join(here, 'onnxruntime/dist/index.cjs') });
const sd = await loadPipeline(path.join(here, 'model'), { backend });
const { images } = await sd.generate({ prompt });
await writeFile(file, await images[0].toPng());
await sd.dispose();
await backend.dispose();
