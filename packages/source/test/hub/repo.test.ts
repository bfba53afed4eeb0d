import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cachedModels, type OpenHubOptions, openHubRepo, removeCachedModel } from '../../src/hub/index.js';
import { commit, type HubServer, hashOf, hubServer } from './hub-server.js';

const bytesOf = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 255);
const files = {
  'model_index.json': new TextEncoder().encode('{}'),
  'unet/weights.safetensors': bytesOf(300_000),
  'unet/empty.txt': new Uint8Array(0),
  'vae/weights.safetensors': bytesOf(5000, 2),
};
const name = { repo: 'owner/name' };

let hub: HubServer;
let cacheFolder: string;
beforeEach(async () => {
  hub = await hubServer({ 'owner/name': files });
  cacheFolder = await mkdtemp(path.join(tmpdir(), 'sd-hub-'));
});
afterEach(async () => {
  await hub.close();
  await rm(cacheFolder, { recursive: true });
});

const open = (options: OpenHubOptions = {}) => openHubRepo(name, { endpoint: hub.endpoint, cacheFolder, ...options });
const downloads = () => hub.requests.filter(({ line }) => /\/(resolve|storage)\//.test(line));

describe('a repository on the hub', () => {
  test('downloads only the files that are asked for, into the layout of Python’s cache', async () => {
    const repo = await open();
    expect(downloads()).toEqual([]);
    expect(await repo.size('unet/weights.safetensors')).toBe(300_000);
    expect(await repo.size('nothing')).toBeUndefined();
    expect(await repo.ensure('nothing')).toBe(false);
    for (const file of ['unet/weights.safetensors', 'unet/empty.txt', 'model_index.json']) {
      expect(await repo.ensure(file)).toBe(true);
    }

    const root = path.join(cacheFolder, 'models--owner--name');
    expect(await readFile(path.join(root, 'refs/main'), 'utf8')).toBe(commit);
    const pointer = path.join(root, 'snapshots', commit, 'unet/weights.safetensors');
    expect(repo.folder).toBe(path.join(root, 'snapshots', commit));
    const hash = hashOf(files['unet/weights.safetensors']);
    expect(hash).toHaveLength(64);
    expect(await readlink(pointer)).toBe(path.join('..', '..', '..', 'blobs', hash));
    expect((await readFile(pointer)).equals(files['unet/weights.safetensors'])).toBe(true);
    const small = ['model_index.json', 'unet/empty.txt'].map((file) => hashOf(files[file as keyof typeof files]));
    expect((await readdir(path.join(root, 'blobs'))).sort()).toEqual([hash, ...small].sort());
  });

  test('needs no request for files once the cache has them, and no connection at all where it is offline', async () => {
    const first = await open();
    await first.ensure('vae/weights.safetensors');
    const count = downloads().length;
    const again = await open();
    expect(await again.ensure('vae/weights.safetensors')).toBe(true);
    expect(downloads()).toHaveLength(count);

    const before = hub.requests.length;
    const offline = await open({ offline: true });
    expect(await offline.ensure('vae/weights.safetensors')).toBe(true);
    expect(await offline.ensure('unet/weights.safetensors')).toBe(false);
    expect(hub.requests).toHaveLength(before);
    await expect(openHubRepo({ ...name, repo: 'a/b' }, { offline: true, cacheFolder })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('HF_HUB_OFFLINE'),
    });
  });

  test('uses the cache where the hub cannot be reached', async () => {
    await (await open()).ensure('vae/weights.safetensors');
    const unreachable = await open({ endpoint: 'http://127.0.0.1:9' });
    expect(await unreachable.ensure('vae/weights.safetensors')).toBe(true);
    expect(await unreachable.size('unet/weights.safetensors')).toBeUndefined();
  });

  test('resumes where a connection broke, and where an earlier process stopped', async () => {
    let broken = 0;
    hub.intercept = (request, response) => {
      if (!request.url?.startsWith('/storage/') || broken++ > 0) return false;
      response.writeHead(200, { 'Content-Length': 300_000 });
      response.write(files['unet/weights.safetensors'].subarray(0, 100_000), () => response.destroy());
      return true;
    };
    const repo = await open();
    expect(await repo.ensure('unet/weights.safetensors')).toBe(true);
    const [, second] = hub.requests.filter(({ line }) => line.includes('/storage/'));
    expect(second.range).toMatch(/^bytes=[1-9]\d*-$/);

    await removeCachedModel('owner/name', { cacheFolder });
    const blobs = path.join(cacheFolder, 'models--owner--name/blobs');
    await (await open()).ensure('vae/weights.safetensors');
    const hash = hashOf(files['unet/weights.safetensors']);
    await writeFile(path.join(blobs, `${hash}.sd.incomplete`), files['unet/weights.safetensors'].subarray(0, 200_000));
    await (await open()).ensure('unet/weights.safetensors');
    expect(hub.requests.at(-1)!.range).toBe('bytes=200000-');
    expect((await readFile(path.join(blobs, hash))).equals(files['unet/weights.safetensors'])).toBe(true);
  });

  test('a damaged start is found out by the hash, and the next attempt starts anew', async () => {
    await (await open()).ensure('vae/weights.safetensors');
    const hash = hashOf(files['unet/weights.safetensors']);
    const blobs = path.join(cacheFolder, 'models--owner--name/blobs');
    await writeFile(path.join(blobs, `${hash}.sd.incomplete`), new Uint8Array(1000));
    const repo = await open();
    await expect(repo.ensure('unet/weights.safetensors')).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringMatching(/arrived damaged/),
    });
    expect(await readdir(blobs)).not.toContain(hash);
    expect(await repo.ensure('unet/weights.safetensors')).toBe(true);
  });

  test('two repositories in one process and the same file download it once', async () => {
    const repos = await Promise.all([open(), open(), open()]);
    await Promise.all(repos.flatMap((repo) => [repo, repo].map((each) => each.ensure('unet/weights.safetensors'))));
    expect(hub.requests.filter(({ line }) => line.includes('/storage/'))).toHaveLength(1);
    expect((await lstat(path.join(repos[0].folder, 'unet/weights.safetensors'))).isSymbolicLink()).toBe(true);
  });

  test('reports bytes over all files', async () => {
    const seen: { loaded: number; total: number }[] = [];
    const repo = await open({ onProgress: (progress) => seen.push(progress) });
    await Promise.all(['unet/weights.safetensors', 'vae/weights.safetensors'].map((file) => repo.ensure(file)));
    expect(seen.at(-1)).toMatchObject({ loaded: 305_000, total: 305_000 });
    expect(seen.every(({ loaded, total }, i) => loaded <= total && loaded >= (seen[i - 1]?.loaded ?? 0))).toBe(true);
  });

  test('an abort ends a download that hangs', async () => {
    hub.intercept = (request, response) => {
      if (!request.url?.startsWith('/storage/')) return false;
      response.writeHead(200, { 'Content-Length': 300_000 });
      response.write(new Uint8Array(10));
      return true;
    };
    const controller = new AbortController();
    const repo = await open();
    const download = repo.ensure('unet/weights.safetensors', controller.signal);
    setTimeout(() => controller.abort('enough'), 50);
    await expect(download).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
  });

  test('a caller that gives up does not end the download of another', async () => {
    let hangs = true;
    hub.intercept = (request, response) => {
      if (!hangs || !request.url?.startsWith('/storage/')) return false;
      response.writeHead(200, { 'Content-Length': 300_000 });
      response.write(new Uint8Array(10));
      return true;
    };
    const controller = new AbortController();
    const repo = await open();
    const first = repo.ensure('unet/weights.safetensors', controller.signal);
    const second = repo.ensure('unet/weights.safetensors');
    setTimeout(() => {
      hangs = false;
      controller.abort();
    }, 50);
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    // The ten bytes that arrived were wrong, which the second finds by the hash.
    await expect(second).rejects.toMatchObject({ code: 'read-failed' });
    expect(await repo.ensure('unet/weights.safetensors')).toBe(true);
  });
});

describe('refusals', () => {
  test('the token goes to the endpoint, and not to where it redirects', async () => {
    await hub.close();
    hub = await hubServer({ 'owner/name': files }, 'secret');
    await expect(open({ token: 'wrong' })).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringMatching(/Accept its terms at .+owner\/name.+HF_TOKEN/),
    });
    const repo = await open({ token: 'secret' });
    await repo.ensure('unet/weights.safetensors');
    const stored = hub.requests.filter(({ line }) => line.includes('/storage/'));
    expect(stored.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('an unknown repository or revision is named', async () => {
    await expect(openHubRepo({ repo: 'no/such' }, { endpoint: hub.endpoint, cacheFolder })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/no model no\/such with a revision main/),
    });
    await expect(
      openHubRepo({ ...name, revision: 'v9' }, { endpoint: hub.endpoint, cacheFolder }),
    ).rejects.toMatchObject({ code: 'not-found', message: expect.stringMatching(/revision v9/) });
  });

  test('a busy server is asked again when it wishes', async () => {
    let busy = 2;
    hub.intercept = (_request, response) => {
      if (busy-- <= 0) return false;
      response.writeHead(busy === 1 ? 429 : 503, { 'Retry-After': '0.01' }).end();
      return true;
    };
    const repo = await open();
    expect(await repo.ensure('model_index.json')).toBe(true);
  });

  test('a cache that cannot be written is named', async () => {
    const file = path.join(cacheFolder, 'file');
    await writeFile(file, '');
    const repo = await openHubRepo(name, { endpoint: hub.endpoint, cacheFolder: file });
    await expect(repo.ensure('model_index.json')).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringMatching(/cannot be written to the cache .+HF_HUB_CACHE/),
    });
  });
});

describe('the cache', () => {
  test('lists its models, and removes one', async () => {
    expect(await cachedModels({ cacheFolder: path.join(cacheFolder, 'none') })).toEqual([]);
    await (await open()).ensure('vae/weights.safetensors');
    expect(await cachedModels({ cacheFolder })).toMatchObject([
      { repo: 'owner/name', size: 5000, revisions: [{ commit, names: ['main'], files: 1 }] },
    ]);
    expect(await removeCachedModel('owner/name', { cacheFolder })).toBe(5000);
    expect(await cachedModels({ cacheFolder })).toEqual([]);
    await expect(removeCachedModel('owner/name', { cacheFolder })).rejects.toMatchObject({ code: 'not-found' });
    await expect(removeCachedModel('../..', { cacheFolder })).rejects.toMatchObject({ code: 'not-found' });
  });
});
