import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Runs a script of this folder in a separate process, to measure its peak memory, and parses the JSON that it prints. */
export function measured(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** A function from multiply-adds to seconds, at the highest of several measured rates in operations per second. */
export function limitAt(...rates) {
  const best = (kind) => Math.max(...rates.map((rate) => rate[kind]));
  return ({ conv, gemm }) => (2 * conv) / best('conv') + (2 * gemm) / best('gemm');
}

/** Size of a model's weight files in MiB. */
export function weightSize(folder) {
  const bytes = readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.safetensors'))
    .reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
  return bytes / 2 ** 20;
}
