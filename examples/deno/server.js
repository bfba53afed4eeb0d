import process from 'node:process';
import { draw, pipeline } from '@sd/example-shared';

// The model loads before the server starts, not with the first request.
await pipeline();
Deno.serve({ port: Number(process.env.PORT ?? 3000) }, (request) =>
  request.method === 'POST' ? draw(request) : new Response('POST { "prompt": "a red apple" } to /api/draw'),
);
