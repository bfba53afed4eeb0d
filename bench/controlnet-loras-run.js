// Measures steps of a model with adapters attached. Runs in a separate process, to measure its peak memory.
import { createNodeBackend } from '@sd/backend-node';
import { loadPipeline } from '@sd/pipeline';
import { peakMemory } from './memory.js';
import { fastestStep, timed } from './timing.js';

const [mode, model, control, ...loras] = process.argv.slice(2);
const backend = createNodeBackend();
const sd = await loadPipeline(model, { backend });
const side = 8 * sd.stages.noisePredictor.sampleSize;
const image = { width: side, height: side, data: new Uint8ClampedArray(4 * side * side).fill(255) };
const settings = { prompt: 'a house by the sea', scheduler: 'euler', steps: 4, width: side, height: side, seed: 0 };

const stepOf = async (options = {}) => (await fastestStep(sd, { ...settings, ...options })).step;
const addLoras = async () => {
  for (const file of loras) await sd.attach(file, { kind: 'lora' });
};
const addControl = () => sd.attach(control, { name: 'control', kind: 'controlnet' });
const adapters = { control: { image } };

const result = {};
if (mode !== 'all') result.plain = await stepOf();
if (mode !== 'plain') {
  result.attach = await timed(addLoras);
  if (mode === 'times') result.styled = await stepOf();
  result.attach += await timed(addControl);
  result.controlled = await stepOf({ adapters });
}
result.peak = peakMemory();
await sd.dispose();
await backend.dispose();
console.log(JSON.stringify(result));
