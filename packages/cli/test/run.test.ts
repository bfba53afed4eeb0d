import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readImage, readParameters } from '@sd/image';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodes, run } from '../src/index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sd-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function runText(args: readonly string[], stdin = '') {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(args, {
    stdin: (async function* () {
      yield stdin;
    })(),
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  });
  return { code, out: out.join(''), err: err.join('') };
}

const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a prompt without a command draws it, with other programs’ names of options', async () => {
  const file = path.join(folder, 'car.png');
  const args = ['a', 'blue', 'car', '--steps', '2', '--cfg-scale=5', '-s', '7', '--sampler', 'Euler a', '-o', file];
  const { code, out } = await runText(args);
  expect(out).toBe(`${file}  (seed 7, 128 x 128)\n`);
  expect(code).toBe(exitCodes.success);
  const { prompt, settings } = (await readParameters(await readFile(file)))!;
  expect(prompt).toBe('a blue car');
  expect(settings).toMatchObject({ Steps: '2', 'CFG scale': '5', Seed: '7', Sampler: 'Euler a' });
});

test('--from draws an image again from the settings in its file; other options override them', async () => {
  const first = path.join(folder, 'first.png');
  await runText(['a red apple', '--steps', '2', '-n', 'snow', '-s', '11', '-o', first]);
  const again = path.join(folder, 'again.png');
  await runText(['--from', first, '-o', again]);
  expect(await readFile(again)).toEqual(await readFile(first));
  const other = path.join(folder, 'other.png');
  await runText(['--from', first, '-s', '12', '-o', other]);
  const [a, b] = await Promise.all([first, other].map(async (file) => readImage(await readFile(file))));
  expect(b.data).not.toEqual(a.data);
  expect((await readParameters(await readFile(other)))!.settings.Seed).toBe('12');
});

test('--prompts - draws every line of standard input; --json writes a line for each image', async () => {
  const images = path.join(folder, 'images/');
  const args = ['--prompts', '-', '--steps', '1', '-b', '2', '-s', '1', '--json', '-o', images];
  const { out } = await runText(args, 'a cat\n\na dog\n');
  const lines = jsonLines(out).filter(({ type }) => type === 'image');
  expect(lines.map(({ file, seed }) => [path.basename(file), seed])).toEqual([
    ['a-cat-1.png', 1],
    ['a-cat-2.png', 2],
    ['a-dog-1.png', 1],
    ['a-dog-2.png', 2],
  ]);
  await runText(['a cat', '--steps', '1', '-s', '1', '-o', images]);
  expect((await readdir(images)).sort()).toEqual([
    'a-cat-1 (2).png',
    'a-cat-1.png',
    'a-cat-2.png',
    'a-dog-1.png',
    'a-dog-2.png',
  ]);
});

test.each([
  ['car.webp', []],
  ['car.avif', ['--quality', '50']],
  ['car', ['--format', 'jpeg', '--quality', '80']],
])('%s %j: other formats keep their settings too', async (name, options) => {
  const file = path.join(folder, name);
  const { out } = await runText(['a car', '--steps', '1', '-s', '3', '-o', file, ...options]);
  const [written] = out.split('  ');
  expect(path.extname(written)).toBe(path.extname(name) || '.jpg');
  expect(await readParameters(await readFile(written))).toMatchObject({ prompt: 'a car', settings: { Seed: '3' } });
});

test('variations share a seed', async () => {
  const args = ['a cat', '--steps', '1', '-s', '5', '-b', '2', '--variation-strength', '0.5', '--json'];
  const { out } = await runText([...args, '-o', path.join(folder, 'variations/')]);
  const images = jsonLines(out).filter(({ type }) => type === 'image');
  expect(images.map(({ seed }) => seed)).toEqual([5, 5]);
});

test('options of loading reach the pipeline', async () => {
  const { code, err } = await runText(['a cat', '--memory-limit', '1000']);
  expect(err).toMatch(/more than the limit/);
  expect(code).toBe(exitCodes.failure);
});

test('inspect says what a file is', async () => {
  const file = path.join(folder, 'lora.safetensors');
  const tensors = { 'lora_unet_mid.lora_up.weight': [8, 4], 'lora_unet_mid.lora_down.weight': [4, 8] };
  await writeFile(file, safetensors(tensors));
  const { code, out } = await runText(['inspect', file]);
  expect(out).toMatch(/^kind +lora$/m);
  expect(code).toBe(exitCodes.success);
  expect(JSON.parse((await runText(['inspect', file, '--json'])).out)).toMatchObject({ kind: 'lora' });
});

test.each([
  [['a cat', '--guidance-scale', 'strong'], /guidance-scale.*must be a number/],
  [['a cat', '--steps', '0'], /--steps: must be/],
  [['a cat', '--stepz', '3'], /--stepz.*\n.*--steps/],
  [['a cat', '--control', 'x.safetensors'], /--control-image: is required/],
  [['a cat', '--image', 'no-such.png'], /--image: there is no file no-such.png/],
  [['--from', 'package.json'], /--from: package.json: must be a PNG, JPEG, WebP or AVIF file/],
  [['--prompts', 'no-such.txt'], /--prompts: there is no file/],
  [[], /--prompt: is required/],
])('%j is a mistake of usage', async (args, message) => {
  const { code, err } = await runText(args);
  expect(err).toMatch(message);
  expect(code).toBe(exitCodes.usage);
});

test('what cannot be loaded or written is a failure with a message, and leaves no file behind', async () => {
  const missing = await runText(['a cat', '-m', path.join(folder, 'no-such-model')]);
  expect(missing).toMatchObject({ code: exitCodes.failure, err: expect.stringContaining('no-such-model') });
  expect(missing.err).toMatch(/^See .+#not-found$/m);
  await writeFile(path.join(folder, 'a-file'), '');
  const blocked = await runText(['a cat', '--steps', '1', '-o', path.join(folder, 'a-file', 'cat.png')]);
  expect(blocked).toMatchObject({ code: exitCodes.failure, err: expect.not.stringContaining('    at ') });
});

function safetensors(shapes: Readonly<Record<string, readonly number[]>>): Uint8Array {
  let end = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((size, side) => size * side, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(end)]);
}
