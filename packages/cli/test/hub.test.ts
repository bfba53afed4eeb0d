import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type HubServer, hubServer } from '../../source/test/hub/hub-server.js';
import { exitCodes, run } from '../src/index.js';

let hub: HubServer;
let cache: string;
beforeAll(async () => {
  hub = await hubServer({ 'owner/lora': { 'style.safetensors': new Uint8Array(2_500_000) } });
  cache = await mkdtemp(path.join(tmpdir(), 'sd-cli-hub-'));
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_HUB_CACHE', cache);
});
afterAll(async () => {
  await hub.close();
  await rm(cache, { recursive: true });
});

async function runText(...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const stdout = { write: (text: string) => out.push(text) };
  const code = await run(args, {
    stdin: (async function* () {})(),
    stdout,
    stderr: { write: (text) => err.push(text) },
  });
  return { code, out: out.join(''), err: err.join('') };
}

test('sd download, sd models and sd models remove', async () => {
  expect((await runText('models')).out).toBe(`There are no models in ${cache}.\n`);
  expect(await runText('download', 'owner/lora')).toEqual({
    code: exitCodes.success,
    out: 'owner/lora is in the cache.\n',
    err: '',
  });
  const { out } = await runText('models');
  expect(out).toMatch(/^owner\/lora {2}2\.5 MB {2}main {2}\d{4}-\d\d-\d\d\n/);
  expect(JSON.parse((await runText('models', 'list', '--json')).out)).toMatchObject([
    { repo: 'owner/lora', size: 2_500_000 },
  ]);
  expect((await runText('models', 'remove', 'owner/lora')).out).toBe('owner/lora is removed: 2.5 MB are free.\n');
  expect((await runText('models')).out).toBe(`There are no models in ${cache}.\n`);
});

test('a model that the hub does not have', async () => {
  const { code, err } = await runText('download', 'no/such');
  expect(code).toBe(exitCodes.failure);
  expect(err).toMatch(/no model no\/such/);
});
