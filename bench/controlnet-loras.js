// Full-size Stable Diffusion 1.5 with a ControlNet and two LoRAs: `node bench/controlnet-loras.js [MODEL CONTROLNET]`, by
// default with random weights, on the checkpoint of `npm run bench`.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { measureRates } from './machine-rates.js';
import { limitAt, measured } from './measured.js';
import { writeRandomCheckpoint, writeRandomControlNet } from './random-checkpoint.js';
import { writeRandomLora } from './random-lora.js';

/** Multiply-adds of one pass at 512 x 512, batch 1, counted from the configs. Each is two operations. */
const work = {
  unet: { conv: 209.2e9, gemm: 129.4e9 + 63.0e9 },
  controlNet: { conv: 52.0e9, gemm: 57.1e9 + 25.2e9 },
};

const here = import.meta.dirname;
const configs = path.join(here, 'configs');
const model = process.argv[2] ?? path.join(here, 'checkpoints', 'sd15-F32');
const control = process.argv[3] ?? path.join(here, 'checkpoints', 'controlnet-sd15-F32');
if (!existsSync(model)) await writeRandomCheckpoint(path.join(configs, 'sd15'), model, 'F32');
if (!existsSync(control)) await writeRandomControlNet(path.join(configs, 'controlnet-sd15'), control, 'F32');
const scratch = await mkdtemp(path.join(tmpdir(), 'loras-'));
try {
  const loras = ['first', 'second'].map((name) => path.join(scratch, `${name}.safetensors`));
  for (const [i, file] of loras.entries()) await writeRandomLora(model, file, { rank: 16 * (i + 1) });
  const before = await measureRates();
  const run = (mode) => measured('controlnet-loras-run.js', mode, model, control, ...loras);
  const { plain, styled, controlled, attach } = run('times');
  const [plainPeak, attachedPeak] = ['plain', 'all'].map((mode) => run(mode).peak);
  const limit = limitAt(before, await measureRates());

  const fraction = limit(work.controlNet) / limit(work.unet);
  const times = (seconds) => `${seconds.toFixed(3)} s, ${(seconds / plain).toFixed(3)} of a plain step`;
  console.log(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`);
  console.log('Stable Diffusion 1.5, a step with guidance');
  console.log(`  plain                   ${plain.toFixed(3)} s`);
  console.log(`  two LoRAs               ${times(styled)}`);
  console.log(`  and a ControlNet        ${times(controlled)}`);
  console.log(
    `  the ControlNet alone    ${((controlled - styled) / plain).toFixed(3)} of a plain step; by operations ${fraction.toFixed(3)}`,
  );
  console.log(`  attaching all           ${attach.toFixed(2)} s`);
  console.log(
    `  peak memory             ${plainPeak.toFixed()} MiB plain, ${(attachedPeak - plainPeak).toFixed()} MiB more with all`,
  );
} finally {
  await rm(scratch, { recursive: true });
}
