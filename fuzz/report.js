// node fuzz/report.js [--check]   writes docs/reliability.md from the results in fuzz/results, or compares it with them.
import { readFileSync, writeFileSync } from 'node:fs';
import { corpus } from './corpus.js';
import { kinds } from './differential/kinds.js';
import { repositoryFile } from './fixtures.js';
import { readResults } from './results.js';

const result = (name) => readResults(repositoryFile(`fuzz/results/${name}.json`));
const page = repositoryFile('docs/reliability.md');
const count = (number) => number.toLocaleString('en-US');
const row = (...cells) => cells.map(String);

/** A table with aligned columns: those of numbers, with titles that end with a colon, to the right. */
function table(titles, rows) {
  const heads = titles.map((title) => title.replace(/:$/, ''));
  const widths = heads.map((head, i) =>
    Math.max(...[head, ...rows.map((cells) => cells[i])].map(({ length }) => length)),
  );
  const isRight = (i) => titles[i].endsWith(':');
  const line = (cells) =>
    `| ${cells.map((cell, i) => (isRight(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isRight(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(heads), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** The input that each target reads, as the page describes it. */
const readers = {
  adapters: 'hypernetworks and textual inversions, through `inspect()` and `attach()`',
  folders: 'model folders with changed configs, through `inspect()` and `loadPipeline()`',
  jpeg: 'JPEG files, and other kinds by their first bytes',
  'model-files': 'checkpoints and adapters with changed names, shapes and metadata',
  onnx: 'ONNX files of other exporters',
  options: 'options and arguments of every type',
  pickle: 'files saved by torch: zips and pickles, old and new',
  png: 'PNG files: pixels and settings',
  prompts: 'prompts in every syntax',
  safetensors: 'safetensors files',
  scheduler: '`scheduler_config.json`, by every class',
  settings: 'settings texts, read and written again',
  tokenizer: 'tokenizers, and how they read texts',
};

function fuzzTable(results) {
  const failures = ({ outcomes }) => ['untyped', 'time', 'memory'].map((label) => outcomes[label] ?? 0);
  const lines = Object.entries(readers).flatMap(([name, reads]) => {
    const found = results[name];
    return found === undefined ? [] : [row(`\`${name}\``, reads, count(found.inputs), ...failures(found))];
  });
  return table(['Target', 'Reads', 'Inputs:', 'Untyped errors:', 'Over 2 s:', 'Over 1.5 GB:'], lines);
}

function faultTable({ byKind = {} }) {
  const lines = Object.entries(byKind).map(([kind, tried]) => row(kind, tried));
  return table(['Place', 'Failures:'], lines);
}

/** About 20 values of a series, evenly spaced. */
const sampled = (series) => series.filter((_, i) => i % Math.ceil(series.length / 20) === 0);

function soakTable(results) {
  const names = { same: 'one size', mixed: 'mixed kinds' };
  const lines = Object.entries(names).flatMap(([mode, title]) => {
    const found = results[mode];
    if (found === undefined) return [];
    const trend = found.trend === null ? '' : `${(found.trend * 100).toFixed(2)} %`;
    return [row(title, count(found.runs), sampled(found.megabytes).map(Math.round).join(' '), trend)];
  });
  return table(['Runs', 'Count:', 'Memory in MB', 'Trend:'], lines);
}

function differentialTable(results) {
  const same = ['both refuse', 'both read the same'];
  const lines = Object.entries(results).map(([name, { inputs, outcomes }]) => {
    const allowed = Object.entries(outcomes).filter(
      ([outcome]) => !same.includes(outcome) && outcome !== 'unexplained',
    );
    const total = allowed.reduce((sum, [, times]) => sum + times, 0);
    const counts = [inputs, ...same.map((outcome) => outcomes[outcome] ?? 0), total, outcomes.unexplained ?? 0];
    return row(`\`${name}\``, references[name], ...counts.map(count));
  });
  return table(['Files', 'Reader', 'Inputs:', 'Both refuse:', 'Same:', 'By a rule:', 'Else:'], lines);
}

/** The rules that differences fell under, with their counts. */
function differentialRules(results) {
  const lines = Object.entries(results).flatMap(([name, { outcomes }]) =>
    kinds[name].rules
      .filter((rule) => outcomes[rule.name] > 0)
      .map((rule) => row(`\`${name}\``, rule.side, rule.name, count(outcomes[rule.name]))),
  );
  return table(['Files', 'Reads', 'What', 'Inputs:'], lines);
}

const references = {
  safetensors: 'safetensors',
  pickle: 'torch, `weights_only`',
  png: 'Pillow',
  tokenizer: 'tokenizers',
};

const [fuzz, faults, soak, differential] = ['fuzz', 'faults', 'soak', 'differential'].map(result);
const inputs = Object.values(fuzz).reduce((sum, target) => sum + target.inputs, 0);
const text = `# Reliability

Input is read, or refused with an \`SdError\` that says what is wrong and where, in time and memory bounded by the file's
length. Three programs in \`fuzz/\` look for exceptions to this. \`node fuzz/report.js\` writes this page from their results.

## Hostile input

\`npm run fuzz\` makes inputs from random numbers, by the structure of each format: fields that lie, values that no reader
expects, files with bytes changed. An input fails if what it throws is not an \`SdError\`, if it takes more than two seconds
of the processor, or if memory grows by more than 1.5 GB. Graphs are written, but not run. So far ${count(inputs)} inputs:

${fuzzTable(fuzz)}

The ${corpus().length} inputs in \`fuzz/corpus/\` failed once; \`npm test\` runs them again.

\`\`\`sh
npm run fuzz                                             # five minutes of all targets
node fuzz/fuzz.js --seconds 60 --seed 7 --targets png    # one target, in one process
node fuzz/fuzz.js --seed 7 --targets png --from 123 --count 1    # one input again
\`\`\`

## The same files in Python

\`node fuzz/differential.js --python <python>\` reads generated files with Python's reader of the format too, and compares what is
accepted and read: names, types, shapes and bytes of tensors, pixels, token ids. A difference that no rule allows fails.

${differentialTable(differential)}

Differences that are meant, and who reads the file:

${differentialRules(differential)}

## Failures of files and native code

\`npm run faults\` counts the places where a generation reads a file or runs native code: while it loads the embedded model,
attaches a LoRA, draws, encodes and disposes. It then makes each one fail, alone and with all that follow. The error must be an
\`SdError\`, no session may be left, and the next generation must give the same image. There are ${faults.places ?? 0}
places; ${count(faults.tried ?? 0)} of the ${count(2 * (faults.places ?? 0))} possible failures were tried, with ${faults.problems ?? 0} problems:

${faultTable(faults)}

## Long runs

\`npm run soak\` draws 5,000 images of one size in one process, and \`npm run soak -- --mode mixed\` a thousand of all kinds,
with aborts, streams that are left, images as input, and LoRAs attached and detached. The trend is the mean of the last
quarter of the series against the quarter before, and must be below 2 %.

${soakTable(soak)}
`;

if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.log('docs/reliability.md differs from the results: run node fuzz/report.js');
  process.exit(1);
}
