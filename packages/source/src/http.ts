import { AbortError, SourceError, throwIfAborted } from '@sd/core';

export interface HttpOptions {
  /** Sent with each request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the platform's `fetch`. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** What a server says of a file. */
export interface RemoteFile {
  /** Bytes, where the server tells. */
  readonly size: number | undefined;
  /** Changes when the file does, as far as the server tells; else empty. */
  readonly version: string;
}

/** No answer, or none that could be used: another try, or what is cached, may help. */
export class Unreachable extends SourceError {
  constructor(url: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(
      'read-failed',
      url,
      `${url} could not be reached: ${why}. Check the address and the connection, and that the server lets this page read it (CORS).`,
      { cause },
    );
    this.name = 'SourceError';
  }
}

/** Asks for a file's size and version; undefined where there is none. Throws a SourceError. */
export async function probe(url: string, options: HttpOptions): Promise<RemoteFile | undefined> {
  const response = await request(url, 'bytes=0-1', options);
  // Two bytes, since some servers take the last byte 0 for none; or a body that nobody wants.
  await response.body?.cancel();
  // A server of a single-page app answers every address with its page.
  const isPage =
    response.headers.get('content-type')?.startsWith('text/html') === true && !/\.html?$/.test(new URL(url).pathname);
  if (response.status === 404 || response.status === 410 || isPage) return undefined;
  const total = response.headers.get('content-range')?.match(/\/(\d+)$/)?.[1];
  if (response.status !== 416) expectSuccess(url, response);
  const size = total === undefined ? await lengthOf(url, response, options) : Number(total);
  return { size, version: versionOf(response) };
}

function versionOf({ headers }: Response): string {
  return (headers.get('etag') ?? headers.get('last-modified') ?? '').replace(/^W\//, '');
}

/** Of an answer without Content-Range, as one that ignores ranges is, or one from a server that hides it from pages. */
async function lengthOf(url: string, response: Response, options: HttpOptions): Promise<number | undefined> {
  let whole = response;
  if (response.status === 206) whole = await request(url, undefined, options, 'HEAD');
  const length = whole.headers.get('content-length');
  // The length of what is compressed is not that of the file.
  const plain = (whole.headers.get('content-encoding') ?? 'identity') === 'identity';
  return whole.ok && plain && length !== null ? Number(length) : undefined;
}

/**
 * The bytes of a file from `start` up to `end`, or to its last, as they arrive, each with its place in the file. A server
 * that ignores ranges sends those before `start` too. Throws a SourceError, also where the version is another than was
 * found before; Unreachable where the connection broke.
 */
export async function* download(
  url: string,
  { start, end, version }: { readonly start: number; readonly end?: number; readonly version: string },
  options: HttpOptions,
): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }, void, void> {
  const header = start === 0 && end === undefined ? undefined : `bytes=${start}-${end === undefined ? '' : end - 1}`;
  const response = await request(url, header, options);
  expectSuccess(url, response);
  if (versionOf(response) !== version) {
    await response.body?.cancel();
    throw new SourceError('read-failed', url, `${url} changed while it was read. Load the model again.`);
  }
  let at = response.status === 206 ? start : 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throwIfAborted(options.signal);
        throw new Unreachable(url, cause);
      });
      if (done) return;
      yield { at, bytes: value };
      at += value.length;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function request(
  url: string,
  range: string | undefined,
  { headers = {}, fetch: get = globalThis.fetch, signal }: HttpOptions,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<Response> {
  throwIfAborted(signal);
  try {
    return await get(url, {
      method,
      headers: { ...headers, ...(range === undefined ? {} : { Range: range }) },
      // What is kept of it, this package keeps; and a cached part of a file must not stand for another version's.
      cache: 'no-store',
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    throw new Unreachable(url, cause);
  }
}

function expectSuccess(url: string, { ok, status, statusText }: Response): void {
  if (ok) return;
  if (status === 404 || status === 410) {
    throw new SourceError('not-found', url, `There is no ${url}. Check the address.`);
  }
  const hint = status === 401 || status === 403 ? ' If it needs a token, give it in `headers`.' : '';
  throw new SourceError('read-failed', url, `${url}: the server answered ${status} ${statusText}.${hint}`);
}
