import { Worker } from 'node:worker_threads';
import { keep } from './corpus.js';
import { randomOf } from './random.js';

/**
 * Milliseconds of processor time that an input may take, whatever else the machine does; milliseconds until it must
 * have ended, even if it only waits; and bytes that the process may grow by.
 */
const limits = { time: 2000, wait: 20_000, memory: 1.5e9 };

/**
 * Runs `count` inputs of a target, or as many as there is time for before `deadline`, one after the other in a worker that
 * is ended if an input takes too long or too much memory. Failing inputs are kept in the corpus.
 *
 * Resolves to { inputs, seconds, outcomes, findings }: outcomes are counts by label, findings { problem, index, file }.
 */
export async function runTarget(name, { seed, from = 0, count = Infinity, deadline = Infinity, log = () => {} }) {
  const started = Date.now();
  const result = { inputs: 0, seconds: 0, outcomes: {}, findings: [] };
  const find = async (problem, index) => {
    if (result.findings.some((finding) => finding.problem === problem)) return;
    const file = keep(name, await inputOf(name, seed, index), problem);
    result.findings.push({ problem, index, file });
    log(`${name} ${index}: ${problem}`);
  };
  for (let next = from; next < from + count && Date.now() < deadline; ) {
    const part = await runPart({ name, seed, from: next, count: from + count - next, deadline });
    for (const { problem, index } of part.problems) await find(problem, index);
    for (const [label, times] of Object.entries(part.counts))
      result.outcomes[label] = (result.outcomes[label] ?? 0) + times;
    result.inputs += part.next - next;
    if (part.ended !== undefined && (await isReal(part, { name, seed }))) {
      await find(part.ended, part.next - 1);
      result.outcomes[part.ended] = (result.outcomes[part.ended] ?? 0) + 1;
    }
    next = part.next;
  }
  result.seconds = (Date.now() - started) / 1000;
  return result;
}

async function inputOf(name, seed, index) {
  const target = await (await import(`./targets/${name}.js`)).default();
  return target.generate(randomOf(seed, index), index);
}

/** An input that was ended is run again alone: before it, modules may have been loaded and compiled. */
async function isReal({ next, ended }, { name, seed }) {
  const again = await runPart({ name, seed, from: next - 1, count: 1, deadline: Infinity });
  return again.ended === ended;
}

/** Runs inputs until the end, the deadline, or one that has to be ended. */
function runPart({ name, seed, from, count, deadline }) {
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { name, seed, from, count, deadline, shared },
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
    execArgv: ['--enable-source-maps'],
  });
  const problems = [];
  let [ended, failure, done, counts] = [undefined, undefined, undefined, {}];
  worker.on('message', (message) => {
    if (message.problem !== undefined) problems.push(message);
    else ({ done, counts } = message);
  });
  worker.on('error', (error) => {
    failure = error;
  });
  const stopWatching = watch(state, (problem) => {
    if (ended !== undefined) return;
    ended = problem;
    void worker.terminate();
  });
  return new Promise((resolve, reject) => {
    worker.on('exit', () => {
      stopWatching();
      if (done !== undefined) return resolve({ next: done, counts, problems, ended: undefined });
      if (Atomics.load(state, 1) === 0) return reject(failure ?? new Error(`The target ${name} did not start.`));
      ended ??= failure?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : `the worker died: ${failure?.message}`;
      resolve({ next: Atomics.load(state, 0) + 1, counts, problems, ended });
    });
  });
}

/** Calls `end` with `time` or `memory` once the current input has taken too much of it. */
function watch(state, end) {
  let [sequence, since, cpu, base] = [0, Date.now(), process.cpuUsage(), process.memoryUsage().rss];
  const timer = setInterval(() => {
    const now = Atomics.load(state, 1);
    const rss = process.memoryUsage().rss;
    if (now !== sequence) [sequence, since, cpu, base] = [now, Date.now(), process.cpuUsage(), Math.min(base, rss)];
    const { user, system } = process.cpuUsage(cpu);
    if (now > 1 && ((user + system) / 1000 > limits.time || Date.now() - since > limits.wait)) end('time');
    else if (rss - base > limits.memory) end('memory');
  }, 50);
  return () => clearInterval(timer);
}
