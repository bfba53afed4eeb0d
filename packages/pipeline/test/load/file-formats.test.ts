import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { inspect, loadPipeline, type Pipeline } from '../../src/index.js';
import { locate } from '../../src/load/locate.js';

const style = fixture('adapters/lora-kohya/style.safetensors');
const exported = fixture('models/sd1-onnx/unet/model.onnx');
let temporary: string;
let sd: Pipeline;
const served = new Map<string, Buffer>();
const server = createServer(({ url = '' }, response) => {
  const bytes = served.get(url);
  response.writeHead(bytes === undefined ? 404 : 200, { 'content-length': bytes?.length ?? 0 });
  response.end(bytes);
});
const addressOf = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;

beforeAll(async () => {
  temporary = await mkdtemp(path.join(tmpdir(), 'file-formats-'));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  sd = await loadPipeline(fixture('models/sd1'));
});
afterAll(async () => {
  await sd.dispose();
  server.closeAllConnections();
  server.close();
  await rm(temporary, { recursive: true });
});

const place = (name: string) => path.join(temporary, name);
async function copied(file: string, name: string): Promise<string> {
  await cp(file, place(name));
  return place(name);
}
const failureOf = (action: Promise<unknown>) =>
  action.then(
    () => undefined,
    (error) => error,
  );

describe('a file is what its bytes say, under any name', () => {
  test.each(['style.sft', 'style.bin', 'style.ckpt', 'style.onnx', 'style', 'style.v2', 'style.safetensors.part'])(
    'safetensors as %s',
    async (name) => {
      const file = await copied(style, name);
      expect(await inspect(file)).toMatchObject({ kind: 'lora', details: { modules: 42 } });
      const { kind } = await sd.attach(file, { name });
      await sd.detach(name);
      expect(kind).toBe('lora');
    },
  );

  test('an ONNX model as model.bin', async () => {
    expect(await inspect(await copied(exported, 'model.bin'))).toMatchObject({ kind: 'unet', layout: 'ONNX' });
    await expect(loadPipeline(place('model.bin'))).rejects.toThrow('is one of the models of a folder');
  });

  test('a whole model in a picked file without an ending, and in one on a server', async () => {
    const bytes = await readFile(fixture('adapters/single-file/sd1.safetensors'));
    expect(await inspect(new Blob([bytes]))).toMatchObject({ kind: 'pipeline', family: 'sd1' });
    served.set('/download/1234?type=Model', bytes);
    expect(await inspect(addressOf('download/1234?type=Model'))).toMatchObject({ kind: 'pipeline', family: 'sd1' });
  });
});

describe('a path', () => {
  test('of a folder with the ending of a file is that of a folder', async () => {
    await mkdir(place('lora.bin'));
    await cp(style, place('lora.bin/pytorch_lora_weights.safetensors'));
    expect(await locate(place('lora.bin'))).toMatchObject({ path: '' });
    expect(await inspect(place('lora.bin'))).toMatchObject({ kind: 'lora' });
  });

  test('of nothing is an error, with and without an ending', async () => {
    await expect(inspect(place('none.sft'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(inspect(place('none'))).rejects.toMatchObject({ code: 'not-found' });
  });

  test('on a server is that of a folder if it has a folder’s files, or does not begin as weights do', async () => {
    served.set('/models/sd1/model_index.json', Buffer.from('{}'));
    served.set('/models/list', Buffer.from('<ListBucketResult></ListBucketResult>'));
    expect(await locate(addressOf('models/sd1'))).toMatchObject({ path: '' });
    expect(await locate(addressOf('models/list'))).toMatchObject({ path: '' });
    expect(await locate(addressOf('models/'))).toMatchObject({ path: '' });
  });
});

const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4265380512\n`;

describe.each([
  ['a Git LFS pointer', pointer, /Git LFS pointer/],
  ['a web page', '<!DOCTYPE html><html><head><title>Sign in</title></head></html>', /web page \(HTML\)/],
  ['a server’s error', '<Error><Code>AccessDenied</Code></Error>', /XML.*AccessDenied/],
  ['an empty file', '', /is empty/],
  ['a 7z archive', Buffer.from('377abcaf271c0004', 'hex'), /7z archive/],
])('%s is named by everything that reads files', (what, content, message) => {
  test.each(['.safetensors', '.ckpt', ''])('as a file%s', async (ending) => {
    const file = place(`${what.replaceAll(/\W/g, '-')}${ending}`);
    await writeFile(file, content);
    const errors = await Promise.all([
      failureOf(loadPipeline(file)),
      failureOf(inspect(file)),
      failureOf(inspect(new Blob([content]))),
      failureOf(sd.attach(file)),
      failureOf(sd.attach(file, { kind: 'lora' })),
      failureOf(loadPipeline(fixture('models/sd1'), { components: { unet: file } })),
    ]);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'bad-checkpoint', message: expect.stringMatching(message) });
    }
  });
});
