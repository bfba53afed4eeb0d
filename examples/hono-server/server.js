import { serve } from '@hono/node-server';
import { draw, pipeline } from '@sd/example-shared';
import { Hono } from 'hono';

const app = new Hono();
app.get('/', (c) => c.text('POST { "prompt": "a red apple" } to /api/draw'));
app.post('/api/draw', (c) => draw(c.req.raw));

// The model loads while the server starts, not with the first request.
await pipeline();
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) => {
  console.log(`http://localhost:${port}`);
});
