import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { routePath } from 'hono/route';
import { a1111 } from './a1111/index.js';
import { createDrawing } from './drawing.js';
import { type LocalEngineOptions, localEngine } from './engine/local-engine.js';
import type { Engine } from './engine.js';
import { requireHost, requireKey } from './http/guards.js';
import { HttpError } from './http/http-error.js';
import { problemOf } from './http/problem-of.js';
import { createImageStore } from './image-store.js';
import { defaultLimits, type Limits } from './limits.js';
import { openai } from './openai/index.js';
import { pageRoutes } from './page/index.js';
import type { Runtime } from './runtime.js';
import { createMetrics } from './telemetry/metrics.js';
import { failSpan, tracedRequest } from './telemetry/traced.js';

export interface HandlerOptions extends LocalEngineOptions {
  /** Draws in place of pipelines in this process, such as a queue. The options of those then have no effect. */
  readonly engine?: Engine | undefined;
  /** Keys, of which a request must have one: `Authorization: Bearer KEY`. Without any, everyone may draw. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Origins of web pages that may use the server, such as `https://app.example`; `*` for all. */
  readonly cors?: readonly string[] | undefined;
  /** Hosts that requests may name, against DNS rebinding; all by default. With a key they are not checked. */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** The path that the server is mounted at, such as `/api/sd`. */
  readonly basePath?: string | undefined;
  /** The address that clients use, where a proxy changes it: `https://draw.example`. */
  readonly publicUrl?: string | undefined;
  /** Called for errors that are the server's own, which clients learn little about. */
  readonly onError?: ((error: unknown, request: { readonly id: string; readonly path: string }) => void) | undefined;
}

/** A server without a port. */
export interface Handler {
  /** Answers a request: a route of Next, `export default` of Bun, `Deno.serve(fetch)`, `app.mount()` of Hono. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly engine: Engine;
  /**
   * Refuses further requests to draw, waits for those that run, at most `graceMilliseconds`, ends the others and frees the
   * models.
   */
  close(graceMilliseconds?: number): Promise<void>;
}

const apis = [openai, a1111];
const publicPaths = /^\/(healthz|readyz|page\.(js|css)|images\/.*)?$/;

/** OpenAI's Images API, A1111's API and a page to try them, as a function from requests to responses. */
export function createHandler(options: HandlerOptions = {}): Handler {
  const engine = options.engine ?? localEngine(options);
  const metrics = createMetrics(engine);
  const drawing = createDrawing(engine, metrics);
  const limits = { ...defaultLimits, ...options.limits };
  const basePath = (options.basePath ?? '').replace(/\/$/, '');
  let isClosing = false;

  const runtime: Runtime = {
    engine,
    limits,
    images: createImageStore(),
    urlOf: (request) => `${options.publicUrl?.replace(/\/$/, '') ?? new URL(request.url).origin}${basePath}`,
    draw(...args) {
      if (!isClosing) return drawing.draw(...args);
      throw new HttpError({
        status: 503,
        code: 'shutting_down',
        message: 'The server is stopping.',
        retryAfterSeconds: 5,
      });
    },
  };

  const app = new Hono({ strict: false }).basePath(basePath);
  app.use(requestId());
  app.use(async (c, next) => {
    const { raw, method } = c.req;
    const start = performance.now();
    await tracedRequest(raw, async (span) => {
      await next();
      const route = routePath(c, -1);
      const { status } = c.res;
      span.updateName(`${method} ${route}`).setAttributes({ 'http.route': route, 'http.response.status_code': status });
      if (c.error !== undefined && status >= 500) failSpan(span, c.error);
      metrics.requests.inc({ method, route, status });
      metrics.requestSeconds.observe({ method, route }, (performance.now() - start) / 1000);
    });
  });
  if (options.cors !== undefined)
    app.use(cors({ origin: [...options.cors], exposeHeaders: ['x-request-id', 'retry-after'] }));
  guard(app, options, basePath);
  app.use(bodyLimit({ maxSize: limits.bodyBytes, onError: () => tooLarge(limits.bodyBytes) }));

  app.get('/healthz', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    const { isReady } = await engine.status();
    return isReady && !isClosing ? c.text('ready') : c.text('not ready', 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );
  app.get('/images/:name', (c) => {
    const image = runtime.images.get(c.req.param('name'));
    if (image === undefined) return c.notFound();
    return c.body(new Uint8Array(image.bytes), 200, {
      'content-type': image.mediaType,
      'cache-control': 'private, max-age=3600',
    });
  });
  app.route('/', pageRoutes(basePath));
  for (const api of apis) app.route(api.prefix, api.routes(runtime));

  const formOf = (path: string) => apis.find(({ prefix }) => path.startsWith(`${basePath}${prefix}/`)) ?? openai;
  app.notFound((c) => {
    const message = `There is nothing at ${c.req.method} ${c.req.path}.`;
    return c.json(formOf(c.req.path).errorBody({ status: 404, code: 'unknown_url', message }), 404);
  });
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem.status >= 500) options.onError?.(error, { id: c.get('requestId') as string, path: c.req.path });
    if (problem.retryAfterSeconds !== undefined) c.header('retry-after', String(problem.retryAfterSeconds));
    // What is left of the body is not read, so the connection cannot be used again.
    if (problem.status === 413) c.header('connection', 'close');
    if (problem.status === 401) c.header('www-authenticate', 'Bearer');
    return c.json(formOf(c.req.path).errorBody(problem), problem.status as 400);
  });

  return {
    fetch: async (request) => app.fetch(request),
    engine,
    async close(graceMilliseconds = 0) {
      isClosing = true;
      await drawing.drain(graceMilliseconds);
      await engine.close();
    },
  };
}

/** A server with keys asks for one; another can be limited to its own hosts. */
function guard(app: Hono, { apiKeys = [], allowedHosts, cors: origins = [] }: HandlerOptions, basePath: string): void {
  if (apiKeys.length > 0) app.use(requireKey(apiKeys, (path) => publicPaths.test(path.slice(basePath.length))));
  else if (allowedHosts !== undefined) app.use(requireHost(allowedHosts, origins));
}

function tooLarge(limit: number): never {
  const message = `The request has more than this server's limit of ${limit} bytes.`;
  throw new HttpError({ status: 413, code: 'request_too_large', message });
}
