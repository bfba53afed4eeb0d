import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cachedModels, openHubRepo } from '../../src/hub/index.js';
import { type HubServer, hubServer } from './hub-server.js';

/** A Python that has huggingface_hub: `HUB_PYTHON=venv/bin/python npx vitest run packages/source/test/hub/python.test.ts`. */
const python = process.env.HUB_PYTHON;

const files: Record<string, Uint8Array> = {
  'model_index.json': new TextEncoder().encode('{}'),
  'empty.txt': new Uint8Array(0),
  'unet/weights.safetensors': Uint8Array.from({ length: 50_000 }, (_, i) => i & 255),
};
const name = { repo: 'owner/name' };

describe.skipIf(python === undefined)('the cache is shared with huggingface_hub 2.4.0', () => {
  let hub: HubServer;
  let cacheFolder: string;
  beforeAll(async () => {
    hub = await hubServer({ 'owner/name': files });
  });
  afterAll(() => hub.close());
  beforeEach(async () => {
    cacheFolder = await mkdtemp(path.join(tmpdir(), 'sd-hub-'));
    return () => rm(cacheFolder, { recursive: true });
  });

  async function run(code: string): Promise<string> {
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cacheFolder, HF_HUB_DISABLE_XET: '1' };
    const { stdout } = await promisify(execFile)(python!, ['-c', `from huggingface_hub import *\n${code}`], { env });
    return stdout.trim();
  }

  test('Python finds what we downloaded complete, without a request', async () => {
    const repo = await openHubRepo(name, { endpoint: hub.endpoint, cacheFolder });
    for (const file of Object.keys(files)) await repo.ensure(file);
    hub.requests.length = 0;
    expect(await run("print(snapshot_download('owner/name', local_files_only=True))")).toBe(repo.folder);
    expect(await run("print(hf_hub_download('owner/name', 'unet/weights.safetensors', local_files_only=True))")).toBe(
      path.join(repo.folder, 'unet/weights.safetensors'),
    );
    expect(await run('i = scan_cache_dir(); print(len(i.warnings), i.size_on_disk, len(i.repos))')).toBe('0 50002 1');
    expect(hub.requests.filter(({ line }) => line.includes('owner'))).toEqual([]);
    // Where it may ask, it downloads nothing again.
    await run("snapshot_download('owner/name')");
    expect(hub.requests.filter(({ line }) => line.startsWith('GET /owner/') || line.includes('/storage/'))).toEqual([]);
  });

  test('we find what Python downloaded, without a request', async () => {
    const folder = await run("print(snapshot_download('owner/name'))");
    hub.requests.length = 0;
    const repo = await openHubRepo(name, { endpoint: hub.endpoint, cacheFolder, offline: true });
    expect(repo.folder).toBe(folder);
    for (const [file, bytes] of Object.entries(files)) {
      expect(await repo.ensure(file)).toBe(true);
      expect((await readFile(path.join(folder, file))).equals(bytes)).toBe(true);
    }
    const online = await openHubRepo(name, { endpoint: hub.endpoint, cacheFolder });
    for (const file of Object.keys(files)) await online.ensure(file);
    expect(hub.requests.filter(({ line }) => !line.includes('/api/'))).toEqual([]);
    expect(await cachedModels({ cacheFolder })).toMatchObject([{ repo: 'owner/name', size: 50_002 }]);
  });
});
