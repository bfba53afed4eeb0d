import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checkRoute, startServer, withPage } from '@sd/example-shared/testing';

const app = path.join(import.meta.dirname, '..');
// In a monorepo, the output has the app at its path in the repository.
const standalone = path.join(app, '.next/standalone/examples/next');
let server;

before(async () => {
  // As Next's documentation says: files for the browser may be on another server, so they are not part of the output.
  await cp(path.join(app, '.next/static'), path.join(standalone, '.next/static'), { recursive: true });
  await cp(path.join(app, 'public'), path.join(standalone, 'public'), { recursive: true });
  server = await startServer(process.execPath, ['server.js'], { cwd: standalone });
});
after(() => server?.stop());

test('the route streams previews and the image', () => checkRoute(`${server.url}/api/draw`));

test('the page shows what the server draws', () =>
  withPage(server.url, async (page) => {
    await page.getByRole('button', { name: 'Draw' }).click();
    await page.getByText('Finished, seed').waitFor();
    assert.match(await page.getByRole('img').getAttribute('src'), /^data:image\/png/);
  }));

test('the page draws in the browser', () =>
  withPage(`${server.url}/browser`, async (page) => {
    await page.getByText('ready').waitFor();
    await page.getByRole('button', { name: 'Draw' }).click();
    await page.getByText('Finished, seed').waitFor();
    const width = await page.getByRole('img').evaluate((canvas) => canvas.width);
    assert.equal(width, 128);
  }));
