import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { withPage } from '@sd/example-shared/testing';
import { preview } from 'vite';

test('the built page draws, and stops', async () => {
  const server = await preview({ root: path.join(import.meta.dirname, '..'), preview: { host: '127.0.0.1', port: 0 } });
  try {
    await withPage(server.resolvedUrls.local[0], async (page) => {
      await page.getByText('ready').waitFor();
      // So many that it is still drawing when it is stopped.
      await page.getByLabel('Steps').fill('900');
      await page.getByRole('button', { name: 'Draw' }).click();
      await page.getByText(/^Step \d/).waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('ready').waitFor();
      await page.getByLabel('Steps').fill('4');
      await page.getByRole('button', { name: 'Draw' }).click();
      await page.getByText('Finished, seed').waitFor();
      const width = await page.getByRole('img').evaluate((canvas) => canvas.width);
      assert.equal(width, 128);
    });
  } finally {
    server.httpServer.closeAllConnections();
    await server.close();
  }
});
