// Full-size SD 1.5 with random weights at 512 x 512: `npm run bench`. Takes about ten minutes and 6 GB of disk.
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureRates } from './machine-rates.js';
import { limitAt, measured, weightSize } from './measured.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';

/** Multiply-adds of one pass at 512 x 512, batch 1, counted from the configs. Each is two operations. */
const work = {
  unet: { conv: 209.2e9, gemm: 129.4e9 + 63.0e9 },
  vae: { conv: 1235.8e9, gemm: 4.3e9 + 17.2e9 },
};

const here = path.dirname(fileURLToPath(import.meta.url));
const giga = (rate) => `${(rate / 1e9).toFixed()} GFLOP/s`;

// The speed of a shared machine varies: its rates are measured before and after, and the higher ones give the limit.
const before = await measureRates();
const results = [];
for (const dtype of ['F32', 'F16']) {
  const folder = path.join(here, 'checkpoints', `sd15-${dtype}`);
  if (!existsSync(folder)) await writeRandomCheckpoint(path.join(here, 'configs', 'sd15'), folder, dtype);
  results.push({
    dtype,
    weights: weightSize(folder) * (dtype === 'F16' ? 2 : 1),
    kept: measured('full-size-run.js', folder, 'keep'),
    released: measured('full-size-run.js', folder, 'release'),
  });
}
const after = await measureRates();

const rates = { conv: Math.max(before.conv, after.conv), gemm: Math.max(before.gemm, after.gemm) };
const limit = limitAt(rates);
console.log(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`);
console.log(`Rates: 3 x 3 convolution ${giga(rates.conv)}, matrix product ${giga(rates.gemm)}`);
console.log(`Limits: U-Net forward ${limit(work.unet).toFixed(2)} s, VAE decode ${limit(work.vae).toFixed(2)} s`);
for (const { dtype, weights, kept, released } of results) {
  const beyond = (peak) => `${(peak - weights).toFixed()} MiB over the weights as float32 (${weights.toFixed()})`;
  const against = (seconds, times) => `${seconds.toFixed(2)} s, ${(seconds / times).toFixed(2)} of the limit`;
  console.log(`\n${dtype} files`);
  console.log(`  load             ${kept.load.toFixed(1)} s, peak ${beyond(kept.loadPeak)}`);
  console.log(`  U-Net forward    ${against(kept.unet, limit(work.unet))}`);
  console.log(`  U-Net, batch 2   ${kept.unetPair.toFixed(2)} s, ${(kept.unetPair / kept.unet).toFixed(2)} forwards`);
  console.log(`  VAE decode       ${against(kept.vae, limit(work.vae))}`);
  console.log(`  outside ORT      ${(100 * kept.outside).toFixed(2)}% of a step`);
  console.log(`  10 ms timer      ${kept.timerLag.toFixed(1)} ms late at most during a forward pass`);
  console.log(`  peak             ${beyond(kept.peak)}; before the first decode ${beyond(kept.unetPeak)}`);
  console.log(`  releaseStages    peak ${beyond(released.peak)}`);
}
