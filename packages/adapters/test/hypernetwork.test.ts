import { openFolder } from '@sd/backend-node';
import { loadUnet } from '@sd/unet';
import { openSafetensors, writeSafetensors } from '@sd/weights';
import { expect, test } from 'vitest';
import { fixture } from '../../../fixtures/golden.js';
import { hypernetwork } from '../src/index.js';

/** Networks of one layer for contexts of these widths, as A1111's files have them. */
async function networksFor(...widths: number[]): Promise<Map<unknown, unknown>> {
  const tensors = widths.flatMap((width) =>
    [[width, width], [width]].map((shape) => ({
      name: `${width}.${shape.length === 2 ? 'weight' : 'bias'}`,
      dtype: 'F32' as const,
      shape,
      bytes: () => new Uint8Array(4 * shape.reduce((a, b) => a * b)),
    })),
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const source = {
    read: async (_: string, range?: { start?: number; end?: number }) => bytes.subarray(range?.start, range?.end),
  };
  const { tensors: views } = await openSafetensors(source, 'x.safetensors');
  const layer = (width: number) =>
    new Map(['weight', 'bias'].map((name) => [`linear.0.${name}`, views.get(`${width}.${name}`)]));
  return new Map(widths.map((width) => [width, [layer(width), layer(width)]]));
}

/** SD 1's fixture: text of 32, feature maps of 32 and 64 channels. */
async function checked(...widths: number[]): Promise<void> {
  const backend = { provider: 'cpu', load: () => Promise.reject(new Error('not here')), dispose: async () => {} };
  const unet = await loadUnet({ backend, source: await openFolder(fixture('models/sd1')) });
  const extension = hypernetwork('style', 'style.pt', await networksFor(...widths));
  unet.withExtensions([extension]);
  extension.check();
}

test.each([[[32]], [[64]], [[32, 64]], [[32, 48]]])('networks for %j fit', async (widths) => {
  await checked(...widths);
});

test.each([[[48]], [[48, 64]]])('networks for %j are for another family’s text', async (widths) => {
  await expect(checked(...widths)).rejects.toMatchObject({ code: 'misshapen-tensor', file: 'style.pt' });
});
