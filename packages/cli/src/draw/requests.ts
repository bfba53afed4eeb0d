import { InvalidOptionError } from '@sd/core';
import { readParameters } from '@sd/image';
import { type GenerateOptions, generateTables } from '@sd/pipeline';
import type { Streams } from '../context.js';
import { valuesOf } from '../options/table-options.js';
import { readInput } from './input-file.js';
import type { DrawValues } from './values.js';

/** The seeds of diffusers and A1111 that are drawn at random have 32 bits. */
const seedRange = 2 ** 32;

/** The requests for the pipeline, one per prompt. */
export async function readRequests(words: string, values: DrawValues, streams: Streams): Promise<GenerateOptions[]> {
  const { prompt, prompts, from } = values;
  const kept = from === undefined ? {} : await keptOptions(from);
  const texts = prompts === undefined ? [words || prompt || kept.prompt] : await readLines(prompts, streams);
  const settings = { ...kept, ...(await generateOptions(values)) };
  return texts.map((text) => {
    if (text === undefined) throw new InvalidOptionError('prompt', 'is required: say what to draw.');
    const seed =
      settings.seed ?? (settings.settings?.Seed === undefined ? Math.floor(Math.random() * seedRange) : undefined);
    return { ...settings, seed, prompt: text };
  });
}

async function keptOptions(file: string): Promise<Partial<GenerateOptions>> {
  const bytes = await readInput('from', file);
  const parameters = await readParameters(bytes).catch((error) => {
    if (!(error instanceof InvalidOptionError)) throw error;
    throw new InvalidOptionError('from', `${file}: ${error.message.replace(/^file: /, '')}`);
  });
  if (parameters === undefined) throw new InvalidOptionError('from', `${file} keeps no settings.`);
  return parameters;
}

async function readLines(file: string, { stdin }: Streams): Promise<string[]> {
  const chunks: (string | Uint8Array)[] = [];
  if (file === '-') for await (const chunk of stdin) chunks.push(chunk);
  else chunks.push(await readInput('prompts', file));
  const text = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as Uint8Array))).toString();
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new InvalidOptionError('prompts', `${file} has no prompts: write one on each line.`);
  return lines;
}

const generateTable = Object.assign({}, ...Object.values(generateTables));

/** The values that are options of `generate()`, without those that were not given. */
async function generateOptions(values: DrawValues): Promise<Partial<GenerateOptions>> {
  // The output of a command line is a file.
  const { prompt, output, image, mask, upscale, ...given } = values;
  const options = {
    ...valuesOf(given, generateTable),
    image: image === undefined ? undefined : await readInput('image', image),
    mask: mask === undefined ? undefined : await readInput('mask', mask),
    upscale: upscale === undefined ? undefined : { factor: upscale },
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
