import { clearCache, openFiles, openUrl } from '@sd/source';
import { beforeEach, describe, expect, test } from 'vitest';

const size = 10_000_000;
const all = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);
const folder = 'https://models.test/folder/';

/** toEqual takes minutes for millions of values. */
function sameBytes(got: Uint8Array, want: Uint8Array): boolean {
  return got.length === want.length && got.every((byte, i) => byte === want[i]);
}

/** A server of one file of three pieces: counts the bytes that it sends, and may break off or be away. */
function server() {
  const state = { sent: 0, breakAt: Number.POSITIVE_INFINITY, away: false, etag: '"1"' };
  const get: typeof fetch = async (_, init) => {
    if (state.away) throw new TypeError('Failed to fetch');
    const [, from, to] = new Headers(init?.headers).get('range')!.match(/bytes=(\d+)-(\d+)/)!;
    const [start, end] = [Number(from), Math.min(size, Number(to) + 1)];
    let at = start;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= state.breakAt) return controller.error(new TypeError('network error'));
        const piece = all.subarray(at, Math.min(end, at + 500_000));
        at += piece.length;
        state.sent += piece.length;
        controller.enqueue(piece.slice());
        if (at === end) controller.close();
      },
    });
    const headers = { 'content-range': `bytes ${start}-${end - 1}/${size}`, etag: state.etag };
    return new Response(body, { status: 206, headers });
  };
  return { state, get };
}

beforeEach(async () => void (await clearCache()));

describe('files that are kept', () => {
  test('are downloaded once, and are there without a network', async () => {
    const { state, get } = server();
    const first = await openUrl(folder, { fetch: get });
    expect(sameBytes(await first.read('model.bin'), all)).toBe(true);
    expect(state.sent).toBeLessThan(size + 10);
    const second = await openUrl(folder, { fetch: get });
    expect(await second.read('model.bin', { start: 4_194_300, end: 4_194_310 })).toEqual(
      all.slice(4_194_300, 4_194_310),
    );
    expect(state.sent).toBeLessThan(size + 10);
    state.away = true;
    expect(sameBytes(await (await openUrl(folder, { fetch: get })).read('model.bin'), all)).toBe(true);
    await expect((await openUrl(folder, { fetch: get })).size!('other.bin')).rejects.toThrow(/could not be reached/);
  });

  test('go on where a download broke, and half of one is never taken for all', async () => {
    const { state, get } = server();
    state.breakAt = 5_000_000;
    const broken = await openUrl(folder, { fetch: get });
    await expect(broken.read('model.bin')).rejects.toMatchObject({ code: 'read-failed' });
    const before = state.sent;
    state.breakAt = Number.POSITIVE_INFINITY;
    expect(sameBytes(await (await openUrl(folder, { fetch: get })).read('model.bin'), all)).toBe(true);
    // The first piece of 4 MiB was kept.
    expect(state.sent - before).toBeLessThan(size - 2 ** 22 + 10);
  });

  test('are forgotten when the server has another version, or when asked to', async () => {
    const { state, get } = server();
    await (await openUrl(folder, { fetch: get })).read('model.bin');
    state.etag = '"2"';
    state.sent = 0;
    await (await openUrl(folder, { fetch: get })).read('model.bin');
    expect(state.sent).toBeGreaterThanOrEqual(size);
    expect(await clearCache('https://models.test/other/')).toBe(false);
    expect(await clearCache(folder)).toBe(true);
    state.away = true;
    await expect((await openUrl(folder, { fetch: get })).read('model.bin')).rejects.toThrow(/could not be reached/);
  });

  test('with a hash that differs from the expected one are not kept', async () => {
    const { state, get } = server();
    const options = { fetch: get, integrity: { 'model.bin': '00'.repeat(32) } };
    await expect((await openUrl(folder, options)).size!('model.bin')).rejects.toThrow(/SHA-256/);
    state.away = true;
    await expect((await openUrl(folder, { fetch: get })).size!('model.bin')).rejects.toThrow(/could not be reached/);
  });

  test('are reported where there is no room', async () => {
    const { get } = server();
    const { put } = Cache.prototype;
    Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
    try {
      const source = await openUrl(folder, { fetch: get });
      await expect(source.read('model.bin')).rejects.toMatchObject({
        code: 'read-failed',
        message: expect.stringMatching(/no more room for it.*clearCache\(\), or open it with `cache: false`/),
      });
    } finally {
      Cache.prototype.put = put;
    }
  });
});

test('files that a person picked are read in ranges', async () => {
  const file = new File([all.subarray(0, 100)], 'model.safetensors');
  const root = await navigator.storage.getDirectory();
  const unet = await root.getDirectoryHandle('unet', { create: true });
  const handle = await unet.getFileHandle('model.safetensors', { create: true });
  const writable = await handle.createWritable();
  await writable.write(file);
  await writable.close();
  const sources = [
    openFiles(root),
    openFiles(new Map([['unet/model.safetensors', file]])),
    openFiles([Object.defineProperty(file, 'webkitRelativePath', { value: 'picked/unet/model.safetensors' })]),
  ];
  for (const source of sources) {
    expect(await source.size!('unet/model.safetensors')).toBe(100);
    expect(await source.read('unet/model.safetensors', { start: 3, end: 9 })).toEqual(all.slice(3, 9));
    expect(await source.size!('vae/model.safetensors')).toBeUndefined();
    await expect(source.read('model.safetensors')).rejects.toMatchObject({ code: 'not-found' });
    await expect(source.read('unet/model.safetensors', { start: 3, end: 101 })).rejects.toThrow(/ends after 100 bytes/);
  }
});
