import { AbortError, messageOf, SourceError, throwIfAborted } from '@sd/core';

export interface HttpOptions {
  /** Sent with every request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the platform's `fetch`. */
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** A server's metadata about a file. */
export interface RemoteFile {
  /** Bytes, if the server tells. */
  readonly size: number | undefined;
  /** Changes when the file does, if the server tells; otherwise empty. */
  readonly version: string;
}

/** A file's state when it was opened. */
export interface ExpectedFile {
  readonly version: string;
  /** Undefined if it is not known yet. */
  readonly size?: number | undefined;
}

/** The server did not respond, or not usefully: a retry or the cache may help. */
export class Unreachable extends SourceError {
  constructor(url: string, cause: unknown) {
    const why = messageOf(cause);
    super(
      'read-failed',
      url,
      `${url} could not be reached: ${why}. Check the address and the connection, and that the server lets this page read it (CORS).`,
      { cause },
    );
    this.name = 'SourceError';
  }
}

/** Requests a file's size and version; undefined if there is no such file. Throws a SourceError. */
export async function probe(url: string, options: HttpOptions): Promise<RemoteFile | undefined> {
  const response = await request(url, 'bytes=0-1', options);
  // Two bytes, since some servers misread 0-0. The body, which may be the whole file, is not needed.
  await response.body?.cancel();
  // A single-page app's server responds to every URL with its page.
  const isPage =
    response.headers.get('content-type')?.startsWith('text/html') === true && !/\.html?$/.test(new URL(url).pathname);
  if (response.status === 404 || response.status === 410 || isPage) return undefined;
  const total = totalOf(response);
  if (response.status !== 416) expectSuccess(url, response);
  const size = total ?? (await lengthOf(url, response, options));
  return { size, version: versionOf(response) };
}

/** The file's size from a partial response; undefined if that lacks it, or has an impossible one. */
function totalOf({ headers }: Response): number | undefined {
  return sizeOf(headers.get('content-range')?.match(/\/(\d+)$/)?.[1]);
}

function sizeOf(text: string | null | undefined): number | undefined {
  const size = Number(text ?? Number.NaN);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function versionOf({ headers }: Response): string {
  return (headers.get('etag') ?? headers.get('last-modified') ?? '').replace(/^W\//, '');
}

/** The size from a response without Content-Range: the server ignores ranges, or does not expose the header to pages. */
async function lengthOf(url: string, response: Response, options: HttpOptions): Promise<number | undefined> {
  let whole = response;
  if (response.status === 206) whole = await request(url, undefined, options, 'HEAD');
  const length = whole.headers.get('content-length');
  // A compressed length is not that of the file.
  const plain = (whole.headers.get('content-encoding') ?? 'identity') === 'identity';
  return whole.ok && plain ? sizeOf(length) : undefined;
}

/**
 * The bytes of a file from `start` to `end`, or to its last, as they arrive, with their offset in the file. A server that
 * ignores ranges also sends those before `start`. Throws a SourceError, also if the version has changed, and Unreachable if
 * the connection breaks.
 */
export async function* download(
  url: string,
  { start, end, version, size }: { readonly start: number; readonly end?: number } & ExpectedFile,
  options: HttpOptions,
): AsyncGenerator<{ readonly at: number; readonly bytes: Uint8Array }, void, void> {
  const header = start === 0 && end === undefined ? undefined : `bytes=${start}-${end === undefined ? '' : end - 1}`;
  const response = await request(url, header, options);
  expectSuccess(url, response);
  const total = totalOf(response);
  if (versionOf(response) !== version || (total !== undefined && size !== undefined && total !== size)) {
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
      // This package does its own caching, and a cached range must not be used for another version of the file.
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
  const hint = status === 401 || status === 403 ? ' If it needs a token, pass it in `headers`.' : '';
  throw new SourceError('read-failed', url, `${url}: the server responded with ${status} ${statusText}.${hint}`);
}
