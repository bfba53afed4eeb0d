import { Hono } from 'hono';
import type { Runtime } from './runtime.js';
import type { Metrics } from './telemetry/metrics.js';

/** What operators and links ask for: whether the server lives, whether it takes requests, its figures, and images. */
export function operationRoutes({ engine, images }: Runtime, metrics: Metrics, isClosing: () => boolean): Hono {
  const app = new Hono();
  app.get('/healthz', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    const isReady = await engine.status().then(
      (status) => status.isReady,
      () => false,
    );
    return isReady && !isClosing() ? c.text('ready') : c.text('not ready', 503);
  });
  app.get('/metrics', async (c) =>
    c.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }),
  );
  app.get('/images/:name', (c) => {
    const image = images.get(c.req.param('name'));
    if (image === undefined) return c.notFound();
    const headers = { 'content-type': image.mediaType, 'cache-control': 'private, max-age=3600' };
    return c.body(new Uint8Array(image.bytes), 200, headers);
  });
  return app;
}
