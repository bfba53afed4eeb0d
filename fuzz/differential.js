// node fuzz/differential.js [--python python3] [--seconds 60] [--count N] [--seed 1] [--from 0] [--kinds png,pickle] [--result FILE]
// Reads generated files with this library and with Python's reader of the format (safetensors, torch, Pillow, tokenizers), and
// compares what they accept and what they read. A difference must be one of the kind's rules; any other fails. For a
// Python with these packages; not in CI.
import { parseArgs } from 'node:util';
import { kinds } from './differential/kinds.js';
import { startReference } from './differential/reference.js';
import { randomOf } from './random.js';
import { readResults, writeResults } from './results.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    seconds: { type: 'string', default: '60' },
    count: { type: 'string' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    kinds: { type: 'string' },
    result: { type: 'string' },
  },
});

const attempt = async (read) => {
  try {
    return { value: await read() };
  } catch (error) {
    return { error: `${error.code}: ${error.message}` };
  }
};

/** `same`, the rule that allows the difference, or undefined. */
function classify(rules, ours, theirs, input) {
  const bothRefuse = ours.error !== undefined && theirs.error !== undefined;
  const bothRead = ours.error === undefined && theirs.error === undefined;
  if (bothRefuse) return 'both refuse';
  if (bothRead && JSON.stringify(ours.value) === JSON.stringify(theirs.comparable)) return 'both read the same';
  return rules.find(({ allows }) => allows({ ours, theirs, input }))?.name;
}

async function compare(name, { target, request, read, comparable = (value) => value, rules }) {
  const { generate } = await (await import(`./targets/${target}.js`)).default();
  const outcomes = {};
  const problems = new Map();
  const [first, count] = [Number(values.from), Number(values.count ?? Number.POSITIVE_INFINITY)];
  const end = Date.now() + Number(values.seconds) * 1000;
  let inputs = 0;
  for (let index = first; index < first + count && Date.now() < end; index++) {
    const input = request(generate(randomOf(Number(values.seed), index), index));
    if (input === undefined) continue;
    inputs++;
    const theirs = await reference.read({ kind: name, ...input });
    const ours = await attempt(() => read(input));
    if (theirs.error === undefined) theirs.comparable = comparable(theirs.value);
    const outcome = classify(rules, ours, theirs, input) ?? 'unexplained';
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (outcome !== 'unexplained') continue;
    const problem = `ours ${describe(ours.error, ours.value)}; theirs ${describe(theirs.error, theirs.comparable)}`;
    const kind = problem.replace(/\d+|[0-9a-f]{16}/g, 'N').slice(0, 160);
    if (!problems.has(kind)) console.log(`${name} ${index}: ${problem}`);
    problems.set(kind, index);
  }
  return { inputs, outcomes };
}

const describe = (error, value) => (error ?? JSON.stringify(value)).slice(0, 300);

const reference = await startReference(values.python);
let failed = false;
for (const name of values.kinds?.split(',') ?? Object.keys(kinds)) {
  const result = await compare(name, kinds[name]);
  failed ||= result.outcomes.unexplained > 0;
  console.log(`${name}: ${result.inputs} inputs, ${JSON.stringify(result.outcomes)}`);
  if (values.result !== undefined) writeResults(values.result, { ...readResults(values.result), [name]: result });
}
reference.end();
process.exit(failed ? 1 : 0);
