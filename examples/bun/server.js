import { draw, pipeline } from '@sd/example-shared';

// The model loads before the server starts, not with the first request.
await pipeline();
const { url } = Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  // A step of a large model may take longer than the 10 seconds after which Bun closes a silent connection.
  idleTimeout: 255,
  routes: { '/api/draw': { POST: draw } },
  fetch: () => new Response('POST { "prompt": "a red apple" } to /api/draw'),
});
console.log(String(url));
