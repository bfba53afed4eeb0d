import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadPipeline, SdError } from '@sd/pipeline';
import cliProgress from 'cli-progress';

const usage = `npm run demo -- [prompt] [options]

  --model FOLDER      a diffusers checkpoint folder; the embedded model by default
  --negative TEXT     what to avoid
  --steps N           20
  --guidance N        5
  --seed N            random
  --size WxH          the model's training size by default
  --scheduler NAME    ddim, pndm, euler; the model's default
  --low-memory        load each stage only while it is used
  --out FILE          pictures/<prompt>-<seed>.png`;

/** Ctrl-C stops the run between two steps. */
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      negative: { type: 'string' },
      steps: { type: 'string', default: '20' },
      guidance: { type: 'string', default: '5' },
      seed: { type: 'string' },
      size: { type: 'string' },
      scheduler: { type: 'string' },
      'low-memory': { type: 'boolean' },
      out: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const prompt = positionals.join(' ') || 'a blue car on a road';
  const [width, height] = values.size?.split('x').map(Number) ?? [];

  const start = performance.now();
  const sd = await loadPipeline(values.model, { releaseStages: values['low-memory'], signal: stop.signal });
  const load = performance.now() - start;

  const bar = new cliProgress.SingleBar(
    { format: `${prompt}  {bar} {value}/{total}`, hideCursor: true, noTTYOutput: true },
    cliProgress.Presets.shades_classic,
  );
  const run = sd.generate({
    prompt,
    negativePrompt: values.negative,
    steps: Number(values.steps),
    guidanceScale: Number(values.guidance),
    seed: values.seed === undefined ? undefined : Number(values.seed),
    width,
    height,
    scheduler: values.scheduler,
    signal: stop.signal,
    onStep({ step, steps }) {
      if (step === 0) bar.start(steps, 0);
      bar.update(step + 1);
    },
  });
  // A progress bar that is not stopped keeps the process alive.
  const { images, seeds, timings, warnings } = await run.finally(() => bar.stop());
  await sd.dispose();

  const name = prompt
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 60);
  const file = path.resolve(values.out ?? path.join('pictures', `${name}-${seeds[0]}.png`));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, await images[0].toPng());

  for (const warning of warnings) console.log(`Note: ${warning.message}`);
  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  console.log(`Seed ${seeds[0]}, ${images[0].width} x ${images[0].height}`);
  console.log(
    `Load ${seconds(load)}, text ${seconds(timings.encode)}, ${values.steps} steps ${seconds(timings.denoise)}, decode ${seconds(timings.decode)}`,
  );
  console.log(file);
}

try {
  await main();
} catch (error) {
  // The user's errors need only a message; anything else is a bug and needs its stack trace.
  const isUserError = SdError.isInstance(error) || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUserError ? `\n${error.message}` : error);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
