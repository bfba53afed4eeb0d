// A full-size SD 1.5 with random weights at 512 x 512: `npm run bench`. Takes about five minutes and 6 GB of disk.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRates } from './machine-rates.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';

/** Multiply-adds of one pass at 512 x 512, batch 1: counted from the configs. Each is two operations. */
const work = {
  unet: { conv: 209.2e9, gemm: 129.4e9 + 63.0e9 },
  vae: { conv: 1235.8e9, gemm: 4.3e9 + 17.2e9 },
};

const here = path.dirname(fileURLToPath(import.meta.url));

const rates = await measureRates();
const limit = ({ conv, gemm }) => (2 * conv) / rates.conv + (2 * gemm) / rates.gemm;
const giga = (rate) => `${(rate / 1e9).toFixed()} GFLOP/s`;
console.log(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`);
console.log(`Rates: 3 x 3 convolution ${giga(rates.conv)}, matrix product ${giga(rates.gemm)}`);
console.log(`Limits: U-Net forward ${limit(work.unet).toFixed(2)} s, VAE decode ${limit(work.vae).toFixed(2)} s`);

for (const dtype of ['F32', 'F16']) {
  const folder = path.join(here, 'checkpoints', `sd15-${dtype}`);
  if (!existsSync(folder)) await writeRandomCheckpoint(path.join(here, 'configs', 'sd15'), folder, dtype);
  const widened = weightBytes(folder) * (dtype === 'F16' ? 2 : 1);
  const run = measured(folder, 'keep');
  const released = measured(folder, 'release');
  const beyond = (peak) =>
    `${(peak - widened / 2 ** 20).toFixed()} MiB over the weights as float32 (${(widened / 2 ** 20).toFixed()})`;
  const against = (seconds, times) => `${seconds.toFixed(2)} s, ${(seconds / times).toFixed(2)} of the limit`;
  console.log(`\n${dtype} files`);
  console.log(`  load             ${run.load.toFixed(1)} s, peak ${beyond(run.loadPeak)}`);
  console.log(`  U-Net forward    ${against(run.unet, limit(work.unet))}`);
  console.log(`  U-Net, batch 2   ${run.unetPair.toFixed(2)} s, ${(run.unetPair / run.unet).toFixed(2)} forwards`);
  console.log(`  VAE decode       ${against(run.vae, limit(work.vae))}`);
  console.log(`  outside ORT      ${(100 * run.outside).toFixed(2)}% of a step`);
  console.log(`  10 ms timer      ${run.timerLag.toFixed(1)} ms late at most during a forward`);
  console.log(`  peak             ${beyond(run.peak)}; until the VAE ${beyond(run.unetPeak)}`);
  console.log(`  releaseStages    peak ${beyond(released.peak)}`);
}

function measured(folder, mode) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(here, 'full-size-run.js'), folder, mode], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function weightBytes(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.safetensors'))
    .reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0);
}
