import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** What a script beside this one prints as JSON: run in a process of its own, so that its peak memory is its own. */
export function measured(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Seconds that multiply-adds take at rates of operations a second; a noisy machine's rates are the best of several. */
export function limitAt(...rates) {
  const best = (kind) => Math.max(...rates.map((one) => one[kind]));
  return ({ conv, gemm }) => (2 * conv) / best('conv') + (2 * gemm) / best('gemm');
}

/** Size of a model's weights in MiB, as its files have them. */
export function weightSize(folder) {
  const bytes = readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.safetensors'))
    .reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
  return bytes / 2 ** 20;
}
