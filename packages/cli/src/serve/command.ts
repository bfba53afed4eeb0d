import { loadTable } from '@sd/pipeline';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../context.js';
import { readNumber, tableOptions } from '../options/table-options.js';
import { serve } from './serve.js';
import type { ServeValues } from './values.js';

export function addServe(program: Command, context: Context): void {
  const command = program
    .command('serve')
    .description("Draws for other programs: OpenAI's Images API, A1111's API, and a page to try them.")
    .argument(
      '[models...]',
      'A folder of models, or models one by one, as NAME=PLACE or PLACE. Without any, the embedded model draws.',
    );
  const groups = {
    'Address options:': [
      text('--host <address>', 'The address to listen at; others than this machine need a key.').default('127.0.0.1'),
      number('--port <number>', 'The port; 0 takes a free one.').default(7860),
      list(
        '--api-key <key>',
        'A key that clients must send; may be repeated. Also: the environment variable SD_API_KEY.',
      ),
      new Option('--open', 'Allows other addresses without a key: everyone who reaches them can draw.'),
      list('--cors <origin>', 'Allows the pages of an origin to use the server; may be repeated, * for all.'),
      list('--allow-host <name>', 'A further name by which requests may address a server without a key.'),
      text('--base-path <path>', 'The path that a proxy forwards, such as /sd.'),
      text('--public-url <url>', 'The address that clients use, for links to images.'),
    ],
    'Model options:': [
      list('--alias <name=model>', 'Another name of a model, such as gpt-image-1=sdxl; may be repeated.'),
      text('--loras <folder>', 'The LoRAs that requests and prompts may name.'),
      number('--memory-budget <bytes>', 'What loaded models may take together. (default: 60 % of the memory)'),
      ...tableOptions(loadTable, {}).filter((option) => option.attributeName() !== 'path'),
      text('--queue <url>', 'Leaves the drawing to the workers of a queue: redis://…'),
    ],
    'Limits:': [
      number('--concurrency <number>', 'How many models draw at once. (default: 1)'),
      number('--max-waiting <number>', 'How many requests may wait. (default: 16)'),
      number('--max-count <number>', 'Images of one request. (default: 10)'),
      number('--max-steps <number>', 'Steps. (default: 150)'),
      number('--max-pixels <number>', 'Width times height. (default: 4194304)'),
      number('--max-body <bytes>', 'Bytes of a request. (default: 52428800)'),
      number('--grace <seconds>', 'How long running requests may take when the server is stopped.').default(30),
    ],
  };
  for (const [heading, options] of Object.entries(groups)) {
    for (const option of options) command.addOption(option.helpGroup(heading));
  }
  command.action((models: string[], values: Omit<ServeValues, 'models'>) => serve({ ...values, models }, context));
}

const text = (flags: string, description: string) => new Option(flags, description);

function number(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value) => {
    const read = readNumber(value);
    if (read < 0) throw new InvalidArgumentError('It must be 0 or more.');
    return read;
  });
}

function list(flags: string, description: string): Option {
  const add = (value: string, values: readonly string[] = []) => [...values, value];
  return new Option(flags, description).argParser(add);
}
