import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { a1111 } from './a1111/index.js';
import { createDrawing } from './drawing.js';
import { localEngine } from './engine/local-engine.js';
import { localTable } from './engine/local-options.js';
import type { Engine } from './engine.js';
import { checkHandlerOptions, type HandlerOptions } from './handler-options.js';
import { answerErrors } from './http/answer-errors.js';
import { requireHost, requireKey } from './http/guards.js';
import { HttpError } from './http/http-error.js';
import { createImageStore } from './image-store.js';
import { defaultLimits } from './limits.js';
import { openai } from './openai/index.js';
import { operationRoutes } from './operation.js';
import { pageRoutes } from './page/index.js';
import type { Runtime } from './runtime.js';
import { createMetrics } from './telemetry/metrics.js';
import { observeRequests } from './telemetry/observe-requests.js';

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

/**
 * OpenAI's Images API, A1111's API and a page to try them, as a function from requests to responses. Throws an
 * InvalidOptionError for unknown or impossible options.
 */
export function createHandler(options: HandlerOptions = {}): Handler {
  checkHandlerOptions(options);
  const engine = options.engine ?? localEngine(pick(options, localTable));
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
    draw: (...args) => (isClosing ? stopping() : drawing.draw(...args)),
  };

  const app = new Hono({ strict: false }).basePath(basePath);
  app.use(requestId());
  app.use(observeRequests(metrics));
  if (options.cors !== undefined)
    app.use(cors({ origin: [...options.cors], exposeHeaders: ['x-request-id', 'retry-after'] }));
  guard(app, options, basePath);
  app.use(bodyLimit({ maxSize: limits.bodyBytes, onError: () => tooLarge(limits.bodyBytes) }));

  app.route(
    '/',
    operationRoutes(runtime, metrics, () => isClosing),
  );
  app.route('/', pageRoutes(basePath));
  for (const api of apis) app.route(api.prefix, api.routes(runtime));

  answerErrors(app, {
    bodyOf(path, problem) {
      const api = apis.find(({ prefix }) => path.startsWith(`${basePath}${prefix}/`)) ?? openai;
      return api.errorBody(problem);
    },
    onError: options.onError,
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

function stopping(): never {
  throw new HttpError({
    status: 503,
    code: 'shutting_down',
    message: 'The server is stopping.',
    retryAfterSeconds: 5,
  });
}

function tooLarge(limit: number): never {
  const message = `The request has more than this server's limit of ${limit} bytes.`;
  throw new HttpError({ status: 413, code: 'request_too_large', message });
}

function pick(options: object, table: object): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(table, name)));
}
