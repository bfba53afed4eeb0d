import path from 'node:path';
import { test } from 'node:test';
import { checkRoute, startServer } from '@sd/example-shared/testing';

test('the route streams previews and the image, and a client that leaves ends its run', async () => {
  const server = await startServer(process.execPath, ['server.js'], { cwd: path.join(import.meta.dirname, '..') });
  try {
    await checkRoute(`${server.url}/api/draw`);
  } finally {
    await server.stop();
  }
});
