import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { inspect } from '../../src/index.js';
import { locate } from '../../src/load/locate.js';

const folder = fixture('adapters/lora-kohya');
const signature = '?token=a%2Fb&name=x.bin';
const bytes = await readFile(`${folder}/style.safetensors`);

/** A server with one file, which needs its signature. */
const server = createServer(({ url, method }, response) => {
  const allowed = url === `/loras/my%20style%20%232.safetensors${signature}`;
  response.writeHead(allowed ? 200 : 403, { 'content-length': allowed ? bytes.length : 0 });
  response.end(allowed && method !== 'HEAD' ? bytes : undefined);
});
let link: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  link = `http://127.0.0.1:${(server.address() as AddressInfo).port}/loras/my%20style%20%232.safetensors`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('a signed link to a file', () => {
  test.each(['a string', 'a URL'])('as %s', async (as) => {
    const place = as === 'a URL' ? new URL(link + signature) : link + signature;
    expect(await inspect(place)).toMatchObject({ kind: 'lora', details: { modules: 42 } });
    expect(await locate(place)).toMatchObject({ path: 'my style #2.safetensors', stem: 'my style #2' });
    const { source, path } = await locate(`${place}#part`);
    expect(Buffer.compare(await source.read(path), bytes)).toBe(0);
  });

  test('cannot be read without its signature', async () => {
    await expect(inspect(link)).rejects.toMatchObject({ code: 'read-failed' });
  });

  test('is that of a folder if only its query names a file', async () => {
    expect(await locate('https://host.example/get?name=x.safetensors')).toMatchObject({ path: '', stem: 'get' });
  });
});

test('paths and file URLs are located', async () => {
  const file = `${folder}/style.safetensors`;
  const { href } = pathToFileURL(file);
  for (const place of [file, href, new URL(href), `${href}?url`]) {
    const { source, path, stem } = await locate(place);
    expect([path, stem]).toEqual(['style.safetensors', 'style']);
    expect(await source.size?.(path)).toBe(bytes.length);
  }
  for (const name of ['style #2.safetensors', 'why?.safetensors', '100%.safetensors']) {
    expect(await locate(`${folder}/${name}`)).toMatchObject({ path: name });
  }
  expect(await locate('https://host.example/100%.safetensors')).toMatchObject({ path: '100%.safetensors' });
});
