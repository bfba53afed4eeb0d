import { expect, test } from 'vitest';
import { createHandler, type HandlerOptions } from '../src/index.js';
import { createServer } from '../src/node.js';
import { fakeEngine } from './support/fake-engine.js';

function handlerOf(options: HandlerOptions) {
  const { fetch } = createHandler({ engine: fakeEngine(), ...options });
  return (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(new Request(`http://127.0.0.1:7860${path}`, { ...init, headers: { host: '127.0.0.1:7860', ...headers } }));
}

const basic = (password: string) => `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;

test('with keys, requests must have one of them, as a bearer or as the password of A1111’s front ends', async () => {
  const request = handlerOf({ apiKeys: ['first-key', 'second-key'] });
  const status = async (path: string, authorization?: string) =>
    (await request(path, authorization === undefined ? {} : { authorization })).status;
  expect(await status('/v1/models')).toBe(401);
  expect(await status('/v1/models', 'Bearer first')).toBe(401);
  expect(await status('/v1/models', 'Bearer second-key')).toBe(200);
  expect(await status('/sdapi/v1/sd-models', basic('first-key'))).toBe(200);
  expect(await status('/sdapi/v1/sd-models', basic('wrong'))).toBe(401);
  expect(await status('/metrics')).toBe(401);
  for (const path of ['/healthz', '/readyz', '/', '/page.js']) expect([path, await status(path)]).toEqual([path, 200]);
  const refused = await request('/v1/models');
  expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  expect(await refused.json()).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } });
  expect(await (await request('/sdapi/v1/options')).json()).toMatchObject({ error: 'invalid_api_key' });
});

test('without a key, a server answers only to its hosts, and to pages of its own or of cors', async () => {
  const request = handlerOf({ allowedHosts: ['127.0.0.1', 'localhost'], cors: ['https://app.example'] });
  const status = async (headers: Record<string, string>) => (await request('/v1/models', headers)).status;
  expect(await status({})).toBe(200);
  expect(await status({ host: 'localhost:1' })).toBe(200);
  expect(await status({ host: 'evil.example:7860' })).toBe(403);
  expect(await status({ origin: 'http://evil.example' })).toBe(403);
  expect(await status({ origin: 'null' })).toBe(403);
  expect(await status({ origin: 'http://localhost:7860' })).toBe(200);
  const allowed = await request('/v1/models', { origin: 'https://app.example' });
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
});

test('a preflight of an allowed page needs no key', async () => {
  const request = handlerOf({ apiKeys: ['key'], cors: ['https://app.example'] });
  const asked = {
    origin: 'https://app.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  };
  const response = await request('/v1/images/generations', asked, { method: 'OPTIONS' });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
});

test('an address that others reach needs a key or a yes', async () => {
  await expect(createServer({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ option: 'host' });
  const server = await createServer({ host: '0.0.0.0', port: 0, open: true, engine: fakeEngine() });
  expect((await fetch(server.url.replace('0.0.0.0', '127.0.0.1'))).status).toBe(200);
  await server.close();
});

test('options that are unknown or impossible are refused', () => {
  expect(() => createHandler({ apiKey: 'secret' } as HandlerOptions)).toThrow('apiKey: is not an option');
  expect(() => createHandler({ apiKeys: [''] })).toThrow('apiKeys: must be');
  expect(() => createHandler({ limits: { steps: 0 } })).toThrow('limits.steps: must be');
  expect(() => createHandler({ engine: {} as never })).toThrow('engine: must be');
});

test('a server can be mounted under a path', async () => {
  const request = handlerOf({ basePath: '/api/sd' });
  expect((await request('/api/sd/v1/models')).status).toBe(200);
  expect((await request('/api/sd/healthz')).status).toBe(200);
  expect(await (await request('/api/sd')).text()).toContain('src="/api/sd/page.js"');
  expect((await request('/api/sd/')).status).toBe(200);
  expect((await request('/v1/models')).status).toBe(404);
});

test('the page loads nothing from elsewhere', async () => {
  const response = await handlerOf({})('/');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  const html = await response.text();
  expect([...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link)).toEqual([
    'data:,',
    'page.css',
    'page.js',
  ]);
  expect(html).not.toMatch(/ style=| on\w+=|<script>/);
});
