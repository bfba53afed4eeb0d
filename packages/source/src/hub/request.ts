import { AbortError, messageOf, pause, SourceError, throwIfAborted } from '@sd/core';

export interface RequestOptions {
  readonly endpoint: string;
  readonly token: string | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How often a request is made until it is answered; 5 by default. */
  readonly attempts?: number | undefined;
}

/** The hub did not respond, or not usefully: the cache may help. */
export class HubUnreachable extends SourceError {
  constructor(url: string, why: string, cause?: unknown) {
    const advice = 'Check the connection, HF_ENDPOINT, and the proxy (HTTPS_PROXY with NODE_USE_ENV_PROXY=1)';
    // Its query says nothing to a person.
    const address = url.replace(/\?.*/, '');
    super('read-failed', url, `${address} could not be reached: ${why}. ${advice}.`, { cause });
    this.name = 'SourceError';
  }
}

/** Milliseconds before the second attempt; each later wait is twice as long, up to the longest. */
const firstWait = 500;
const longestWait = 30_000;

/**
 * A `fetch` for one hub: with the token for its own addresses, and patience with a server that is busy (429, 5xx) or does
 * not answer. The platform's fetch does not send the token on where the hub redirects to another host. Throws
 * HubUnreachable, and an AbortError.
 */
export function hubFetch({
  endpoint,
  token,
  signal,
  fetch: get = globalThis.fetch,
  attempts = 5,
}: RequestOptions): typeof fetch {
  const host = new URL(endpoint).origin;
  return async (input, init = {}) => {
    const url = String(input instanceof Request ? input.url : input);
    const headers = new Headers(init.headers);
    if (token !== undefined && new URL(url).origin === host) headers.set('Authorization', `Bearer ${token}`);
    for (let attempt = 1; ; attempt++) {
      const answer = await tryOnce(() => get(url, { ...init, headers, ...(signal && { signal }) }), url, signal);
      const isBusy = answer instanceof Error || answer.status === 429 || answer.status >= 500;
      if (!isBusy) return answer;
      if (attempt === attempts) throw answer instanceof Error ? answer : await busy(url, answer);
      if (!(answer instanceof Error)) await answer.body?.cancel();
      await pause(waitOf(answer, attempt), signal);
    }
  };
}

/** The response, or an error after which another attempt may succeed. */
async function tryOnce(request: () => Promise<Response>, url: string, signal: AbortSignal | undefined) {
  throwIfAborted(signal);
  try {
    return await request();
  } catch (cause) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    return new HubUnreachable(url, causeOf(cause), cause);
  }
}

/** Node's fetch only says `fetch failed`; its cause has the reason. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error) || messageOf(error);
}

async function busy(url: string, response: Response): Promise<HubUnreachable> {
  await response.body?.cancel();
  return new HubUnreachable(url, `the server responded with ${response.status} ${response.statusText}`);
}

/** The server's own wish, as seconds or a date, within bounds. */
function waitOf(answer: Response | Error, attempt: number): number {
  const wish = answer instanceof Error ? undefined : (answer.headers.get('retry-after') ?? undefined);
  const seconds = wish === undefined ? Number.NaN : Number(wish);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(wish ?? '') - Date.now();
  return Math.min(longestWait, wait > 0 ? wait : firstWait * 2 ** (attempt - 1));
}
