import { InvalidOptionError, lazyImport, messageOf } from '@sd/core';
import type { WorkerModel } from '@sd/queue';
import { type Command, Option } from 'commander';
import type { Context } from './context.js';
import { readNumber } from './options/table-options.js';

interface WorkerValues {
  readonly queue: string;
  readonly name?: string;
  readonly store?: string;
  readonly model: readonly string[];
  readonly lora: readonly string[];
  readonly maxLoaded?: number;
  readonly patience?: number;
  readonly deadAfter?: number;
  readonly grace: number;
}

export function addWorker(program: Command, context: Context): void {
  const list = (flags: string, text: string) =>
    new Option(flags, text)
      .argParser((value: string, values: readonly string[]) => [...values, value])
      .default([], 'none');
  const seconds = (flags: string, text: string) => new Option(flags, text).argParser(readNumber);
  program
    .command('worker')
    .description('Draws the jobs of a queue on Redis or Valkey, until it is stopped; then it finishes its job.')
    .requiredOption(
      '-q, --queue <url>',
      'The server: redis://host:6379. (default: the variable REDIS_URL)',
      process.env.REDIS_URL,
    )
    .option('--name <name>', "The queue's name. (default: sd)")
    .option(
      '--store <place>',
      'Where images are: redis, a folder, or s3://bucket/prefix?endpoint=URL. (default: redis)',
    )
    .addOption(
      list('-m, --model <name=path>', 'A model to draw with; may be repeated. (default: the embedded model, tiny)'),
    )
    .addOption(list('--lora <name=file>', 'A LoRA that jobs may name; may be repeated.'))
    .addOption(seconds('--max-loaded <number>', 'How many models stay in memory. (default: 1)'))
    .addOption(seconds('--patience <seconds>', 'How long a job waits for a worker that has its model. (default: 30)'))
    .addOption(seconds('--dead-after <seconds>', 'When a silent worker counts as dead. (default: 30)'))
    .addOption(seconds('--grace <seconds>', 'How long to go on with a job when stopped.').default(30))
    .action((values: WorkerValues) => work(values, context));
}

async function work(values: WorkerValues, { stderr, signal }: Context): Promise<void> {
  const say = (text: string) => stderr.write(`${text}\n`);
  const { createWorker } = await lazyImport(() => import('@sd/queue'));
  checkAddress(values.queue);
  const worker = createWorker({
    connection: values.queue,
    name: values.name,
    store: values.store,
    models: values.model.length === 0 ? undefined : modelsOf(values.model),
    loras: placesOf('lora', values.lora),
    maxLoaded: values.maxLoaded,
    patienceMs: milliseconds(values.patience),
    deadAfterMs: milliseconds(values.deadAfter),
    onJob: ({ id, milliseconds: time }) => say(`${id}  ${(time / 1000).toFixed(1)} s`),
    onError: (error) => say(messageOf(error)),
  });
  say(`${worker.id} draws the jobs of ${withoutPassword(values.queue)}`);
  await stopped(signal);
  say('Stopping: the current job is finished first. Once more to give it back.');
  await Promise.race([worker.close({ graceMs: milliseconds(values.grace) }), stopped()]);
  await worker.close({ graceMs: 0 });
}

/** Before the queue does, whose option has another name. */
function checkAddress(queue: string): void {
  if (/^(rediss?:\/\/|\/)/.test(queue)) return;
  throw new InvalidOptionError('queue', `must be an address such as redis://localhost:6379, not ${queue}.`);
}

/** Resolves with SIGTERM, or Ctrl-C. */
function stopped(interrupted?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    if (interrupted === undefined) process.once('SIGINT', () => resolve());
    interrupted?.addEventListener('abort', () => resolve(), { once: true });
  });
}

function modelsOf(pairs: readonly string[]): Record<string, WorkerModel> {
  const places = Object.entries(placesOf('model', pairs));
  // The embedded model has no place.
  return Object.fromEntries(places.map(([name, place]) => [name, place === 'tiny' ? {} : { place }]));
}

/** `name=place` pairs as an object. */
function placesOf(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, place] = /^([^=]+)=(.+)$/s.exec(pair) ?? [];
      if (name !== undefined) return [name, place];
      throw new InvalidOptionError(option, `must be a name and a place, as in sdxl=/models/sdxl, not ${pair}.`);
    }),
  );
}

function milliseconds(seconds: number): number;
function milliseconds(seconds: number | undefined): number | undefined;
function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//');
}
