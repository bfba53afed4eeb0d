// The cost of a LoRA: `node bench/lora.js [MODEL]`, by default on the checkpoint of `npm run bench`.
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { measured } from './measured.js';
import { writeRandomCheckpoint } from './random-checkpoint.js';
import { writeRandomLora } from './random-lora.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const rank = 16;

const folder = process.argv[2] ?? path.join(here, 'checkpoints', 'sd15-F32');
if (!existsSync(folder)) await writeRandomCheckpoint(path.join(here, 'configs', 'sd15'), folder, 'F32');
const scratch = await mkdtemp(path.join(tmpdir(), 'lora-'));
try {
  const file = path.join(scratch, 'random.safetensors');
  const layers = await writeRandomLora(folder, file, { rank });
  const times = measured('lora-run.js', folder, file, 'times');
  const [plain, styled] = ['plain', 'lora'].map((mode) => measured('lora-run.js', folder, file, mode));

  const percent = (fraction) => `${(100 * fraction).toFixed(1)}%`;
  console.log(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}`);
  console.log(`A LoRA of rank ${rank} on all ${layers} linear layers of the U-Net's transformers`);
  console.log(
    `  U-Net forward      ${seconds(times.plain)} without, ${seconds(times.lora)} with: ${percent(times.lora / times.plain - 1)} more`,
  );
  console.log(`  U-Net load         ${seconds(times.load)}`);
  console.log(`  adding the LoRA    ${seconds(times.add)}, ${(times.add / times.load).toFixed(2)} of that load`);
  console.log(
    `  another strength   ${(1000 * times.strength).toFixed(3)} ms besides the run, ${times.sessions} sessions created`,
  );
  console.log(
    `  peak memory        ${plain.peak.toFixed()} MiB without, ${(styled.peak - plain.peak).toFixed()} MiB more with`,
  );
} finally {
  await rm(scratch, { recursive: true });
}

function seconds(value) {
  return `${value.toFixed(value < 1 ? 3 : 2)} s`;
}
