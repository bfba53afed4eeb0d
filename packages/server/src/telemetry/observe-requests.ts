import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Metrics } from './metrics.js';
import { failSpan, tracedRequest } from './traced.js';

/** Counts and traces requests by their routes: their paths, which clients choose, would be labels without end. */
export function observeRequests(metrics: Metrics): MiddlewareHandler {
  return async (c, next) => {
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
  };
}
