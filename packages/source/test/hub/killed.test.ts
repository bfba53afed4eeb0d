import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openHubRepo } from '../../src/hub/index.js';
import { type HubServer, hashOf, hubServer } from './hub-server.js';

const bytes = Uint8Array.from({ length: 400_000 }, (_, i) => (i * 31) & 255);
const chunk = 20_000;
const name = { repo: 'owner/name' };
const built = fileURLToPath(new URL('../../dist/hub/index.js', import.meta.url));
const script = `
  const { openHubRepo } = await import(process.env.BUILT);
  const repo = await openHubRepo({ repo: 'owner/name' });
  await repo.ensure('weights.safetensors');
`;

let hub: HubServer;
/** Chunks that each process has received. */
let sent = 0;
beforeAll(async () => {
  hub = await hubServer({ 'owner/name': { 'weights.safetensors': bytes } });
  hub.intercept = async (request, response) => {
    if (!request.url?.startsWith('/storage/')) return false;
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(start === 0 ? 200 : 206, { 'Content-Length': bytes.length - start, ...(start > 0 && range) });
    for (let at = start; at < bytes.length && !response.destroyed; at += chunk) {
      response.write(bytes.subarray(at, at + chunk));
      sent += 1;
      await sleep(10);
    }
    response.end();
    return true;
  };
});
afterAll(() => hub.close());

async function withCache(work: (cacheFolder: string) => Promise<void>): Promise<void> {
  const cacheFolder = await mkdtemp(path.join(tmpdir(), 'sd-hub-'));
  await work(cacheFolder).finally(() => rm(cacheFolder, { recursive: true }));
}

/** No file in the cache has a name that its contents do not have. */
async function expectWholeFiles(cacheFolder: string): Promise<void> {
  const blobs = path.join(cacheFolder, 'models--owner--name/blobs');
  for (const file of await readdir(blobs).catch(() => [])) {
    if (!file.endsWith('.incomplete')) expect(hashOf(await readFile(path.join(blobs, file)))).toBe(file);
  }
}

test('processes that are killed in every phase leave a cache from which the next one goes on', async () => {
  await withCache(async (cacheFolder) => {
    const env = { ...process.env, BUILT: built, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cacheFolder };
    // From before the first byte to the rename after the last.
    for (const chunks of [0, 1, 7, 19]) {
      sent = 0;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('exit', resolve));
      const isDone = ended.then(() => true);
      while (sent < chunks && !(await Promise.race([isDone, sleep(2, false)])));
      if (chunks === 0) await sleep(150);
      child.kill('SIGKILL');
      await ended;
      await expectWholeFiles(cacheFolder);
    }
    const repo = await openHubRepo(name, { endpoint: hub.endpoint, cacheFolder });
    expect(await repo.ensure('weights.safetensors')).toBe(true);
    expect((await readFile(path.join(repo.folder, 'weights.safetensors'))).equals(bytes)).toBe(true);
    const left = await readdir(path.join(cacheFolder, 'models--owner--name/blobs'));
    expect(left).toEqual([hashOf(bytes)]);
  });
});

test('two processes download a file once', async () => {
  await withCache(async (cacheFolder) => {
    const env = { ...process.env, BUILT: built, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cacheFolder };
    hub.requests.length = 0;
    const codes = await Promise.all(
      [0, 1].map(
        () =>
          new Promise((resolve) => {
            spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'ignore' }).on(
              'exit',
              resolve,
            );
          }),
      ),
    );
    expect(codes).toEqual([0, 0]);
    expect(hub.requests.filter(({ line }) => line.includes('/storage/'))).toHaveLength(1);
  });
});
