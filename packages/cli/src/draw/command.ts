import { encodeTable } from '@sd/image';
import { generateTables, loadTable } from '@sd/pipeline';
import { type Command, Option } from 'commander';
import type { Context } from '../context.js';
import { readNumber, tableOptions } from '../options/table-options.js';
import { protocols } from '../terminal/protocols.js';
import { drawAll } from './draw-all.js';
import { spellings } from './spellings.js';
import type { DrawValues } from './values.js';

/** `--output` is a file here, and the results are always images. */
const { output: _, ...outputTable } = generateTables.output;

export function addDraw(program: Command, context: Context): void {
  const command = program
    .command('draw', { isDefault: true })
    .description('Draws images. Without --model, the small embedded model draws, which needs no download.')
    .argument('[prompt...]', 'What to draw.');
  const groups = {
    'Prompt options:': tableOptions(generateTables.prompts, spellings),
    'Sampling options:': [
      ...tableOptions(generateTables.sampling, spellings),
      ...tableOptions(generateTables.guidance, spellings),
    ],
    'Image options:': [
      ...tableOptions(generateTables['initial image'], spellings),
      ...tableOptions(outputTable, spellings),
      number('--upscale <factor>', 'Draws each image again, this many times larger.'),
    ],
    'Model options:': [
      new Option('-m, --model <path>', 'The folder or file of a model, its URL, or owner/name on the hub.'),
      ...tableOptions(loadTable, spellings).filter((option) => option.attributeName() !== 'path'),
    ],
    'Adapter options:': adapterOptions(),
    'Output options:': outputOptions(),
  };
  for (const [heading, options] of Object.entries(groups)) {
    for (const option of options) command.addOption(option.helpGroup(heading));
  }
  command.action((words: string[], values: DrawValues) => drawAll(words.join(' '), values, context));
}

function adapterOptions(): Option[] {
  return [
    new Option('--lora <file:strength>', 'A LoRA to attach, at strength 1 unless given; may be repeated.')
      .argParser((text: string, files: readonly string[]) => [...files, text])
      .default([], 'none'),
    new Option('--control <file>', 'A ControlNet or T2I-Adapter to attach.'),
    new Option('--control-image <file>', 'The image that it follows, such as edges.'),
    number('--control-strength <number>', 'How strongly it acts. (default: 1)'),
  ];
}

function outputOptions(): Option[] {
  return [
    new Option('-o, --output <path>', 'The file to write, or a folder. (default: images/)'),
    ...tableOptions(encodeTable, spellings),
    new Option('--prompts <file>', 'Draws every line of a text file; - reads standard input.'),
    new Option('--from <image>', 'Draws with the settings that an image file keeps; other options override them.'),
    new Option('--json', 'Writes one line of JSON for each image and warning.'),
    new Option('--preview', 'Shows the image while it is drawn, in a terminal.'),
    new Option('--show <how>', 'Shows finished images in a terminal.')
      .choices(['auto', 'none', ...protocols])
      .default('auto'),
  ];
}

function number(flags: string, description: string): Option {
  return new Option(flags, description).argParser(readNumber);
}
