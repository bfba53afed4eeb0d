import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { HttpError } from './http-error.js';

/**
 * Asks for one of these keys: `Authorization: Bearer KEY`, or as the password of `Basic`, which A1111's front ends send.
 * Keys are compared by their hashes, in constant time.
 */
export function requireKey(keys: readonly string[], isPublic: (path: string) => boolean): MiddlewareHandler {
  const hashes = keys.map(hash);
  return async (c, next) => {
    if (!isPublic(c.req.path)) {
      const given = givenKey(c.req.header('authorization'));
      const hashed = hash(given ?? '');
      const fits = hashes.map((known) => timingSafeEqual(known, hashed)).includes(true);
      if (given === undefined || !fits) throw unauthorized(given);
    }
    await next();
  };
}

function givenKey(header = ''): string | undefined {
  const [, scheme, value] = /^(bearer|basic) +(\S+)$/i.exec(header) ?? [];
  if (value === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return value;
  return /:(.*)$/s.exec(Buffer.from(value, 'base64').toString())?.[1];
}

function unauthorized(given: string | undefined): HttpError {
  const message =
    given === undefined
      ? 'This server needs an API key: send it as "Authorization: Bearer KEY".'
      : 'The API key is not one of this server.';
  return new HttpError({ status: 401, code: 'invalid_api_key', message });
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Answers only requests that name one of these hosts, and no web pages of others: a page that makes its own name point to
 * this machine (DNS rebinding), or that posts to it, must not use a server without a key.
 */
export function requireHost(hosts: readonly string[], origins: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const host = hostname(`http://${c.req.header('host') ?? new URL(c.req.url).host}`);
    if (host === undefined || !hosts.includes(host)) {
      const message = `This server does not answer to the host ${JSON.stringify(host ?? '')}: name it in allowedHosts, or set an API key.`;
      throw new HttpError({ status: 403, code: 'host_not_allowed', message });
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && !origins.includes('*') && !origins.includes(origin)) {
      const from = hostname(origin);
      if (from === undefined || !hosts.includes(from)) {
        const message = `Pages of ${origin} may not use this server: name the origin in cors.`;
        throw new HttpError({ status: 403, code: 'origin_not_allowed', message });
      }
    }
    await next();
  };
}

function hostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
