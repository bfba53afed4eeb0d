import path from 'node:path';
import { test } from 'node:test';
import { checkRoute, runtime, startServer } from '@sd/example-shared/testing';

const { command, skip } = runtime('deno', 'DENO');

test('the route streams previews and the image, and a client that leaves ends its run', { skip }, async () => {
  const server = await startServer(command, ['run', '-A', 'server.js'], { cwd: path.join(import.meta.dirname, '..') });
  try {
    await checkRoute(`${server.url}/api/draw`);
  } finally {
    await server.stop();
  }
});
