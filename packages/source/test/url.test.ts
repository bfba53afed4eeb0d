import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { openUrl } from '../src/index.js';
import { type Handler, pattern, serve } from './server.js';

const big = pattern(300_000);
const files = new Map([
  ['model/config.json', new TextEncoder().encode('{"a": 1}')],
  ['model/unet/a b.safetensors', big],
  ['model/empty', new Uint8Array(0)],
]);

let server: Awaited<ReturnType<typeof serve>>;
const start = async (handle?: Handler) => {
  server = await serve(files, handle);
  return `${server.url}model`;
};
afterEach(() => server?.close());

describe('files on a server', () => {
  test('are read whole and in ranges, from a folder with or without a slash', async () => {
    const url = await start();
    for (const folder of [url, `${url}/`]) {
      const source = await openUrl(folder);
      expect(new TextDecoder().decode(await source.read('config.json'))).toBe('{"a": 1}');
      expect(await source.size!('unet/a b.safetensors')).toBe(big.length);
      expect(await source.read('unet/a b.safetensors', { start: 100, end: 2_000 })).toEqual(big.slice(100, 2_000));
      expect(await source.read('empty')).toHaveLength(0);
    }
    expect(server.requests.filter((request) => request.endsWith('bytes=100-1999'))).toHaveLength(2);
  });

  test('are probed for their size only once', async () => {
    const source = await openUrl(await start());
    for (let i = 0; i < 3; i++) await source.size!('config.json');
    expect(server.requests).toEqual(['GET model/config.json bytes=0-1']);
  });

  test('may be given by the URL of one file, which becomes a folder and a path', async () => {
    const source = await openUrl(`${await start()}/unet/a%20b.safetensors`);
    expect(source.file).toBe('a b.safetensors');
    expect(await source.size!(source.file!)).toBe(big.length);
  });

  test('that are missing have no size, even if the server responds to every URL with a page', async () => {
    const source = await openUrl(await start());
    expect(await source.size!('none')).toBeUndefined();
    await expect(source.read('none')).rejects.toMatchObject({ code: 'not-found', path: 'none' });
    server.close();
    const page = await openUrl(
      await start((_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
        return true;
      }),
    );
    expect(await page.size!('none')).toBeUndefined();
  });

  test('are read from servers that ignore ranges, or do not tell the size', async () => {
    const rangeless: Handler = (_, response, path) => {
      response.writeHead(200, { 'content-length': files.get(path)!.length }).end(files.get(path));
      return true;
    };
    const chunked: Handler = (_, response, path) => {
      response.writeHead(200).write(files.get(path));
      response.end();
      return true;
    };
    for (const handle of [rangeless, chunked]) {
      const source = await openUrl(await start(handle));
      expect(await source.size!('unet/a b.safetensors')).toBe(big.length);
      expect(await source.read('unet/a b.safetensors', { start: 70_000, end: 70_100 })).toEqual(
        big.slice(70_000, 70_100),
      );
      server.close();
    }
  });

  test('are resumed where a connection broke', async () => {
    let broken = 0;
    const source = await openUrl(
      await start((request, response) => {
        const from = Number(request.headers.range?.match(/bytes=(\d+)/)?.[1] ?? 0);
        if (from > 200_000 || request.headers.range === 'bytes=0-1') return false;
        broken += 1;
        response.writeHead(206, { 'content-range': `bytes ${from}-299999/300000`, 'content-length': 300_000 - from });
        response.write(big.subarray(from, from + 90_000), () => response.destroy());
        return true;
      }),
    );
    expect(await source.read('unet/a b.safetensors')).toEqual(big);
    expect(broken).toBeGreaterThan(1);
  });

  test('with a hash are checked before any of their bytes are returned', async () => {
    const right = createHash('sha256').update(big).digest('hex');
    const path = 'unet/a b.safetensors';
    const url = await start();
    const source = await openUrl(url, { integrity: { [path]: right.toUpperCase() } });
    expect(await source.read(path, { start: 5, end: 9 })).toEqual(big.slice(5, 9));
    const wrong = await openUrl(url, { integrity: { [path]: 'ab'.repeat(32) } });
    await expect(wrong.read(path, { start: 5, end: 9 })).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringContaining(`has the SHA-256 ${right}`),
    });
  });

  test('that change while they are read are rejected', async () => {
    let version = 1;
    const source = await openUrl(
      await start((_, response) => {
        response.setHeader('etag', `"${version}"`);
        return false;
      }),
    );
    await source.size!('config.json');
    version = 2;
    await expect(source.read('config.json')).rejects.toThrow(/config\.json changed while it was read/);
  });

  test('are rejected by name if the response is an error, or the range or path is invalid', async () => {
    const source = await openUrl(
      await start((_, response, path) => {
        if (!path.endsWith('locked')) return false;
        response.writeHead(403).end();
        return true;
      }),
    );
    await expect(source.size!('locked')).rejects.toMatchObject({
      code: 'read-failed',
      message: expect.stringMatching(/responded with 403 Forbidden\. If it needs a token, pass it in `headers`/),
    });
    await expect(source.read('config.json', { start: 0, end: 9 })).rejects.toThrow(/ends after 8 bytes/);
    await expect(source.read('../secret')).rejects.toThrow(/is not a path inside/);
  });

  test('report their progress, and are not read after an abort', async () => {
    const controller = new AbortController();
    const loaded: number[] = [];
    const source = await openUrl(await start(), {
      signal: controller.signal,
      onProgress: (progress) => loaded.push(progress.loaded),
    });
    await source.read('unet/a b.safetensors');
    expect(loaded.at(-1)).toBe(big.length);
    controller.abort();
    await expect(source.read('unet/a b.safetensors')).rejects.toMatchObject({ code: 'aborted' });
  });

  test('on an unreachable server are an error that says so', async () => {
    const url = await start();
    server.close();
    const source = await openUrl(url);
    await expect(source.size!('config.json')).rejects.toThrow(/could not be reached: .*Check the address/);
  });
});
