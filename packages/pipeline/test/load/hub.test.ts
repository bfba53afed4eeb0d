import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { fixture, sd1 } from '../../../../fixtures/golden.js';
import { commit, type HubServer, hubServer } from '../../../source/test/hub/hub-server.js';
import { download, inspect, loadPipeline } from '../../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

async function filesOf(folder: string): Promise<Record<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const read = files.map(async (entry) => {
    const full = path.join(entry.parentPath, entry.name);
    return [path.relative(folder, full).replaceAll(path.sep, '/'), new Uint8Array(await readFile(full))] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

let hub: HubServer;
let cache: string;
beforeAll(async () => {
  const model = await filesOf(sd1);
  const { 'style.safetensors': lora } = await filesOf(fixture('adapters/lora-kohya'));
  hub = await hubServer({
    'owner/model': {
      ...model,
      'v1.safetensors': new Uint8Array(2000),
      'safety_checker/model.safetensors': new Uint8Array(2000),
      'unet/diffusion_pytorch_model.bin': new Uint8Array(2000),
      'unet/model.onnx': new Uint8Array(2000),
    },
    'owner/lora': { 'README.md': new Uint8Array(10), 'style.safetensors': lora },
    'owner/two': { 'a.safetensors': lora, 'b.safetensors': lora },
  });
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterAll(() => hub.close());
beforeEach(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'sd-hub-'));
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_HUB_OFFLINE', '0');
  hub.requests.length = 0;
});
afterEach(() => rm(cache, { recursive: true }));

const downloaded = () =>
  hub.requests.flatMap(({ line }) => (line.includes('/resolve/') ? [line.replace(/.*\/resolve\/[^/]+\//, '')] : []));

const request = { prompt: 'a red apple', steps: 2, seed: 1, width: 64, height: 64, output: 'latents' } as const;

describe('a model by its name on the hub', () => {
  test('is downloaded as far as it is needed, drawn as from its folder, and then loaded without a connection', async () => {
    const progress: { loaded: number; total: number }[] = [];
    const sd = await loadPipeline('owner/model', { backend, onProgress: (each) => progress.push(each) });
    const { latents } = await sd.generate(request);
    await sd.dispose();
    const local = await loadPipeline(sd1, { backend });
    expect((await local.generate(request)).latents).toEqual(latents);
    await local.dispose();

    expect(downloaded()).toContain('unet/diffusion_pytorch_model.safetensors');
    expect(downloaded().filter((file) => /safety_checker|\.bin$|\.onnx$|^v1|README/.test(file))).toEqual([]);
    expect(new Set(downloaded()).size).toBe(downloaded().length);
    expect(progress.at(-1)!.loaded).toBe(progress.at(-1)!.total);

    hub.requests.length = 0;
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const offline = await loadPipeline('owner/model', { backend });
    expect((await offline.generate(request)).latents).toEqual(latents);
    await offline.dispose();
    expect(hub.requests).toEqual([]);
  });

  test.each([
    ['owner/lora', {}, 'lora'],
    ['owner/lora/style.safetensors', {}, 'lora'],
    [`hf://owner/lora@${commit}`, {}, 'lora'],
    ['hf://owner/lora@v1/style.safetensors', {}, 'lora'],
    ['owner/lora', { revision: 'v1' }, 'lora'],
    ['owner/model/vae', {}, 'vae'],
    ['owner/model', {}, 'pipeline'],
  ])('inspect(%s, %o)', async (name, options, kind) => {
    expect(await inspect(name, options)).toMatchObject({ kind });
  });

  test('a page of the hub is its model', async () => {
    expect(await inspect(`${hub.endpoint}/owner/lora/blob/main/style.safetensors`)).toMatchObject({ kind: 'lora' });
  });

  test('adapters and components have names too', async () => {
    const sd = await loadPipeline('owner/model', { backend, components: { vae: 'owner/model/vae' } });
    expect(await sd.attach('owner/lora')).toMatchObject({ name: 'style', kind: 'lora' });
    await sd.dispose();
  });

  test('download() makes a model loadable without a connection', async () => {
    await download('owner/model');
    await download('owner/lora');
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    const sd = await loadPipeline('owner/model', { backend });
    await sd.attach('owner/lora');
    await sd.dispose();
    expect(downloaded().filter((file) => /safety_checker|\.bin$|\.onnx$|^v1/.test(file))).toEqual([]);
  });

  test('refusals say what is missing', async () => {
    const { code, message } = await inspect('no/such').catch((error) => error);
    expect(code).toBe('not-found');
    expect(message).toMatch(/no file or folder no\/such here.+no model no\/such/);
    await expect(inspect('owner/two')).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringMatching(/Choose one, such as owner\/two\/a\.safetensors: a\.safetensors, b\.safetensors/),
    });
    await expect(inspect('owner/model/unett')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/has no unett. It has: .*unet\//),
    });
    await expect(download('a-folder')).rejects.toMatchObject({ code: 'invalid-option', option: 'name' });
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
    const unreachable = await inspect('no/such').catch((error) => error);
    vi.stubEnv('HF_ENDPOINT', hub.endpoint);
    expect(unreachable.code).toBe('read-failed');
    expect(unreachable.message).toMatch(/^There is no file or folder no\/such here.+main could not be reached/);
    await expect(inspect('hf://name')).rejects.toMatchObject({ code: 'invalid-option' });
  });
});
