// node --expose-gc fuzz/soak.js [--mode same|mixed] [--runs N] [--side 64] [--threads N] [--result FILE]
// Draws with the embedded model, again and again in one process: 5,000 images of one size, or 1,000 runs of all kinds with
// aborts, streams that are left, images as input, and LoRAs attached and detached. Memory must not grow: the means of the
// last two quarters of the series differ by less than 2 %. Exits with 1 if they do not.
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createNodeBackend } from '@sd/backend-node';
import { SdError } from '@sd/core';
import { loadPipeline } from '@sd/pipeline';
import { repositoryFile } from './fixtures.js';
import { randomOf } from './random.js';
import { readResults, writeResults } from './results.js';

const lengths = { same: 5000, mixed: 1000 };
const rows = 100;
const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'same' },
    runs: { type: 'string' },
    side: { type: 'string', default: '64' },
    seed: { type: 'string', default: '7' },
    threads: { type: 'string' },
    result: { type: 'string' },
  },
});
const { mode } = values;
const runs = Number(values.runs ?? lengths[mode]);
const random = randomOf(Number(values.seed), 0);
const threads = values.threads === undefined ? {} : { threads: Number(values.threads) };
const backend = createNodeBackend(threads);
const pipeline = await loadPipeline(undefined, { backend });
const outcomes = {};
const series = [];
let [image, attached] = [undefined, []];

function mixedOptions(seed) {
  const side = () => 8 * random.range(8, 16);
  const prompt = `a ${random.pick(['red', 'blue', 'green'])} ${random.pick(['car', 'house', 'fish'])}`;
  const options = { prompt, steps: 4, width: side(), height: side(), count: random.pick([1, 1, 1, 2]), seed };
  if (random.chance(0.2))
    Object.assign(options, { syntax: 'a1111', prompt: `(${prompt}:1.2), [snow:rain:0.5] AND a hill :0.5` });
  if (random.chance(0.2))
    options.scheduler = random.pick(['euler', 'dpmpp-2m-karras', 'euler-ancestral', 'heun', 'lcm']);
  if (image !== undefined && random.chance(0.2)) {
    Object.assign(options, { image, strength: 0.8, width: undefined, height: undefined });
  } else if (random.chance(0.1)) {
    Object.assign(options, { width: 64, height: 64, upscale: { factor: 1.5, strength: 0.6 } });
  }
  if (attached.length > 0) options.adapters = Object.fromEntries(attached.map((name) => [name, random.next()]));
  return options;
}

/** Ways of running: to the end, aborted, left early, and with a callback that fails. */
const ways = {
  async toTheEnd(options) {
    const { images } = await pipeline.generate(options);
    const png = await images[0].toPng();
    if (mode === 'mixed' && random.chance(0.3)) image = png;
  },
  async aborted(options) {
    const controller = new AbortController();
    const run = pipeline.generate({ ...options, signal: controller.signal });
    void wait(random.int(250)).then(() => controller.abort());
    await run;
  },
  async left(options) {
    let events = random.int(5);
    for await (const event of pipeline.stream(options)) {
      if (event.type === 'step' && random.chance(0.3)) await event.preview();
      if (events-- === 0) break;
    }
  },
  failing: (options) =>
    pipeline.generate({
      ...options,
      onStep() {
        throw new Error('a callback’s own error');
      },
    }),
};

async function changeAdapters() {
  for (const name of attached) await pipeline.detach(name);
  attached = attached.length > 0 ? [] : ['blueprint', 'dusk'].slice(0, random.range(1, 2));
  for (const name of attached)
    await pipeline.attach(repositoryFile(`examples/lora-styles/${name}.safetensors`), { name });
}

async function run(index) {
  const way =
    mode === 'same' ? 'toTheEnd' : random.pick(['toTheEnd', 'toTheEnd', 'toTheEnd', 'aborted', 'left', 'failing']);
  const side = Number(values.side);
  const options =
    mode === 'same' ? { prompt: 'a red car', steps: 4, width: side, height: side, seed: index } : mixedOptions(index);
  try {
    await ways[way](options);
    return 'drawn';
  } catch (error) {
    if (SdError.isInstance(error)) return error.code;
    if (way === 'failing') return 'a callback’s own error';
    throw error;
  }
}

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

/** How far the mean of the last quarter lies above that of the one before, as a fraction. */
function trend() {
  const quarter = Math.floor(series.length / 4);
  return mean(series.slice(-quarter)) / mean(series.slice(-2 * quarter, -quarter)) - 1;
}

function report(done) {
  const megabytes = series.map((bytes) => Math.round(bytes / 1e5) / 10);
  const result = { runs: done, outcomes, megabytes, trend: series.length < 8 ? null : Number(trend().toFixed(4)) };
  if (values.result !== undefined) writeResults(values.result, { ...readResults(values.result), [mode]: result });
  return result;
}

for (let index = 1; index <= runs; index++) {
  const outcome = await run(index);
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (mode === 'mixed' && index % 25 === 0) await changeAdapters();
  if (index % Math.ceil(runs / rows) !== 0) continue;
  globalThis.gc?.();
  series.push(process.memoryUsage().rss);
  report(index);
}
await pipeline.dispose();
await backend.dispose();
const result = report(runs);
console.log(`${mode}: ${runs} runs, ${JSON.stringify(outcomes)}`);
console.log(`memory in MB: ${result.megabytes.join(' ')}`);
console.log(`the last quarter against the one before: ${((result.trend ?? 0) * 100).toFixed(2)} %`);
process.exit(Math.abs(result.trend ?? 0) < 0.02 ? 0 : 1);
