// Full-size SDXL with random float16 weights, 1024 x 1024, one step with guidance: `node bench/sdxl.js`. With the argument
// MODEL, a folder, it runs that model at its training size. The checkpoint takes 7 GB of disk; in memory the weights are
// float32, 14 GB.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { measureRates } from './machine-rates.js';
import { limitAt, measured, weightSize } from './measured.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';

/** Multiply-adds of one pass at 1024 x 1024, batch 1, counted from the configs. Each is two operations. */
const work = {
  unet: { conv: 778.0e9, gemm: 2210.7e9 + 392.0e9 },
  vae: { conv: 4 * 1235.8e9, gemm: 4 * 4.3e9 + 16 * 17.2e9 },
};

const here = import.meta.dirname;
const folder = process.argv[2] ?? path.join(here, 'checkpoints', 'sdxl-F16');
if (!existsSync(folder)) await writeRandomCheckpoint(path.join(here, 'configs', 'sdxl'), folder, 'F16');

const before = await measureRates();
const kept = measured('sdxl-run.js', folder, 'keep');
const released = measured('sdxl-run.js', folder, 'release');
const limit = limitAt(before, await measureRates());

const weights = weightSize(folder) * (process.argv[2] === undefined ? 2 : 1);
const beyond = (peak) => `${(peak - weights).toFixed()} MiB over the weights as float32 (${weights.toFixed()})`;
const against = (seconds, of) => {
  const ratio = process.argv[2] === undefined ? `, ${(seconds / of).toFixed(2)} of the limit` : '';
  return `${seconds.toFixed(2)} s${ratio}`;
};
console.log(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`);
for (const [name, { load, step, encode, decode, peak, loadPeak, side }] of Object.entries({ kept, released })) {
  console.log(`\nSDXL, ${side} x ${side}, stages ${name}`);
  console.log(`  load                 ${load.toFixed(1)} s, peak ${loadPeak.toFixed()} MiB`);
  console.log(`  text, both encoders  ${encode.toFixed(2)} s`);
  console.log(`  step with guidance   ${against(step, 2 * limit(work.unet))}`);
  console.log(`  VAE decode           ${against(decode, limit(work.vae))}`);
  console.log(`  peak                 ${peak.toFixed()} MiB, ${beyond(peak)}`);
}
