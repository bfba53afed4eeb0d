import { readFileSync } from 'node:fs';
import { createNodeBackend } from '@sd/backend-node';
import type { ClipTokenizer } from '@sd/tokenizer';
import { encodeTexts, type PromptSyntaxName, parsePrompt, promptSyntaxNamed } from '@sd/tokenizer/prompt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden } from '../../../../fixtures/golden.js';
import { loadPipeline, type Pipeline } from '../../src/index.js';
import { compareRun, road } from '../start-support.js';

interface Case {
  readonly name: string;
  readonly syntax: PromptSyntaxName;
  readonly text: string;
  readonly clipSkip: number;
}

const folder = fixture('adapters/prompts');
const golden = readGolden('golden.safetensors', folder);
const cases: Case[] = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8'));

const backend = createNodeBackend({ threads: 1 });
let sd: Pipeline;
beforeAll(async () => {
  sd = await loadPipeline(fixture('models/sd1'), { backend });
});
afterAll(async () => {
  await sd.dispose();
  await backend.dispose();
});

test.each(cases)('$name: the embedding of the rules in fixtures/python', async ({ name, syntax, text, clipSkip }) => {
  const [{ tokenizer, textEncoder }] = sd.stages.textEncoders;
  const texts = [parsePrompt(text, { syntax }).parts[0].at({ step: 0, steps: 1 })];
  const { embeddings } = await encodeTexts(texts, {
    tokenizer: tokenizer as ClipTokenizer,
    textEncoder,
    syntax: promptSyntaxNamed(syntax),
    clipSkip,
  });
  const { hidden } = embeddings[0];
  expect(hidden.dims).toEqual(golden(name).dims);
  expect(stageError(`prompt-${syntax}`, hidden.data, golden(name).data)).toBeLessThan(1e-5);
});

test('a whole run of a weighted prompt of two windows', async () => {
  const { text: prompt } = cases.find(({ name }) => name === 'a1111.long-weights')!;
  const run = { ...road, prompt, syntax: 'a1111', width: 96, height: 64, steps: 4 } as const;
  const { latents, colours } = await compareRun(sd, golden, 'run', run, { row: 'prompt-a1111' });
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});

const long = cases.find(({ name }) => name === 'compel.long')!.text;
const compel = { ...road, syntax: 'compel', width: 96, height: 64, steps: 4 } as const;

test('a whole run of two windows against one, as compel fills them up', async () => {
  const run = { ...compel, prompt: `${long}, (a quiet harbour)1.4`, negativePrompt: 'pixel art-' };
  const { latents, colours } = await compareRun(sd, golden, 'compel-run', run, { row: 'prompt-compel' });
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});

test('compel’s prompts for the style, which SDXL’s second text encoder reads', async () => {
  const xl = await loadPipeline(fixture('models/sdxl'), { backend });
  const run = {
    ...compel,
    prompt: 'a red+ boat (on a road)0.6',
    prompt2: `oil on canvas++, ${long}`,
    negativePrompt2: 'snow-',
  };
  const { latents, colours } = await compareRun(xl, golden, 'compel-xl', run, { row: 'prompt-compel' });
  await xl.dispose();
  expect(latents).toBeLessThan(1e-3);
  expect(colours).toBeLessThanOrEqual(1);
});
