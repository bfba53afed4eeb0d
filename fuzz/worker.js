// Runs the inputs of one target in a thread that runner.js watches and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { outcomeOf } from './outcome.js';
import { randomOf } from './random.js';

const { name, seed, from, count, deadline, shared } = workerData;
const state = new Int32Array(shared);
const target = await (await import(`./targets/${name}.js`)).default();
const counts = {};
const seen = new Set();
let lastReport = 0;
let index = from;
process.on('unhandledRejection', (error) => {
  parentPort.postMessage({ index, problem: `unhandled rejection: ${error?.stack ?? error}`.slice(0, 300) });
});
// Everything is loaded: the clock starts.
Atomics.store(state, 1, 1);
for (; index < from + count && Date.now() < deadline; index++) {
  Atomics.store(state, 0, index);
  Atomics.add(state, 1, 1);
  const input = target.generate(randomOf(seed, index), index);
  const { label, problem } = await outcomeOf(target, input);
  counts[label] = (counts[label] ?? 0) + 1;
  if (Date.now() - lastReport > 500) {
    lastReport = Date.now();
    parentPort.postMessage({ counts });
  }
  if (problem === undefined || seen.has(problem)) continue;
  seen.add(problem);
  parentPort.postMessage({ index, problem });
}
parentPort.postMessage({ done: index, counts });
