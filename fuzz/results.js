import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Reads a file of results; an object without any if there is none. */
export function readResults(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

export function writeResults(file, results) {
  mkdirSync(path.dirname(file), { recursive: true });
  // Lists of numbers on one line.
  const json = JSON.stringify(results, null, 2).replace(/\[[^[\]{}]*\]/g, (list) => list.replace(/\s+/g, ' '));
  writeFileSync(file, `${json}\n`);
}

/** Adds a run of a target to its results in the file. */
export function addResult(file, name, { inputs, seconds, outcomes, findings }) {
  const results = readResults(file);
  const known = results[name] ?? { inputs: 0, seconds: 0, outcomes: {}, findings: 0 };
  known.inputs += inputs;
  known.seconds = Math.round(known.seconds + seconds);
  known.findings += findings.length;
  for (const [label, times] of Object.entries(outcomes)) known.outcomes[label] = (known.outcomes[label] ?? 0) + times;
  writeResults(file, { ...results, [name]: known });
}
