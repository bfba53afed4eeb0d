// node --expose-gc fuzz/faults.js [--from 0] [--every 1] [--result FILE]
// Fails each place where a generation reads a file or runs native code: once, and from there on. Exits with 1 if a failure
// is not a typed error, leaves sessions behind, or changes the next image.
import { parseArgs } from 'node:util';
import { faultyGeneration } from './faulty-generation.js';
import { writeResults } from './results.js';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    every: { type: 'string', default: '1' },
    result: { type: 'string' },
  },
});
const generation = await faultyGeneration();
const kinds = await generation.count();
const memory = () => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1e6;
};

const byKind = {};
const problems = [];
const start = memory();
for (let at = Number(values.from); at < kinds.length; at += Number(values.every)) {
  for (const always of [false, true]) {
    const outcome = await generation.fail(at, always);
    byKind[kinds[at]] = (byKind[kinds[at]] ?? 0) + 1;
    for (const problem of outcome.problems) {
      problems.push(`${kinds[at]}, place ${at}${always ? ' and all after it' : ''}, in ${outcome.stage}: ${problem}`);
      console.log(problems.at(-1));
    }
  }
  report();
}
await generation.dispose();
console.log(report());
process.exit(problems.length > 0 ? 1 : 0);

/** Writes what has been tried so far. */
function report() {
  const tried = Object.values(byKind).reduce((sum, count) => sum + count, 0);
  const megabytes = [start, memory()].map(Math.round);
  const results = { places: kinds.length, tried, problems: problems.length, byKind, megabytes };
  if (values.result !== undefined) writeResults(values.result, results);
  return results;
}
