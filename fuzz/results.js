import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Reads a file of results; an object without any if there is none. */
export function readResults(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

export function writeResults(file, results) {
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Adds a run of a target to what the file has of it. */
export function addResult(file, name, { inputs, seconds, outcomes, findings }) {
  const results = readResults(file);
  const known = results[name] ?? { inputs: 0, seconds: 0, outcomes: {}, findings: 0 };
  known.inputs += inputs;
  known.seconds = Math.round(known.seconds + seconds);
  known.findings += findings.length;
  for (const [label, times] of Object.entries(outcomes)) known.outcomes[label] = (known.outcomes[label] ?? 0) + times;
  writeResults(file, { ...results, [name]: known });
}
