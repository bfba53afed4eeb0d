// node fuzz/fuzz.js [--seconds 300 | --minutes 5] [--seed 1] [--targets png,pickle] [--count N] [--from N] [--result FILE]
// Runs generated inputs through every reader of files, texts and options. An input passes if it is read or refused with an
// SdError, in time and memory that are bounded. Exits with 1 if one does not; it is then kept in fuzz/corpus.
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { addResult } from './results.js';
import { runTarget } from './runner.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    targets: { type: 'string' },
    count: { type: 'string' },
    from: { type: 'string', default: '0' },
    result: { type: 'string' },
  },
});
const all = readdirSync(new URL('targets/', import.meta.url)).map((file) => file.replace(/\.js$/, ''));
const targets = values.targets?.split(',') ?? all;
const seed = Number(values.seed);
const seconds = values.seconds === undefined ? Number(values.minutes) * 60 : Number(values.seconds);
const end = Date.now() + seconds * 1000;
const count = values.count === undefined ? undefined : Number(values.count);

let failed = false;
for (const [i, name] of targets.entries()) {
  // Time that one target leaves over is shared by the rest.
  const deadline = Date.now() + (end - Date.now()) / (targets.length - i);
  const result = await runTarget(name, { seed, from: Number(values.from), count, deadline, log: console.log });
  failed ||= result.findings.length > 0;
  const outcomes = Object.entries(result.outcomes).map(([label, times]) => `${times} ${label}`);
  console.log(`${name}: ${result.inputs} inputs in ${result.seconds.toFixed(0)} s (${outcomes.join(', ')})`);
  if (values.result !== undefined) addResult(values.result, name, result);
}
process.exit(failed ? 1 : 0);
