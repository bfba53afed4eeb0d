import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend, openFolder } from '@sd/backend-node';
import { openWeights, writeSafetensors } from '@sd/weights';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Graph } from '../src/index.js';

const [rows, width] = [2048, 64];
const backend = createNodeBackend({ threads: 1 });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'graph-'));
});
afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true });
});

test.each(['F32', 'F16'] as const)('a table of %s outlives its file, which is cut after loading', async (dtype) => {
  const bytes = () =>
    new Uint8Array(
      (dtype === 'F32' ? new Float32Array(rows * width).fill(1) : new Uint16Array(rows * width).fill(0x3c00)).buffer,
    );
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors([{ name: 'table', dtype, shape: [rows, width], bytes }]))
    chunks.push(chunk);
  const file = `${dtype}.safetensors`;
  await writeFile(path.join(folder, file), Buffer.concat(chunks));
  const { tensors } = await openWeights(await openFolder(folder), file);

  const g = new Graph({ provider: 'cpu' });
  const ids = g.input('ids', ['n'], 'int64');
  g.output('y', g.embedding(ids, tensors.get('table')!));
  const session = await backend.load(g.finish('table', { repeated: false }));
  await truncate(path.join(folder, file), 0);
  const { y } = await session.run({ ids: { type: 'int64', dims: [3], data: BigInt64Array.of(0n, 1000n, 2047n) } });
  expect(y.data).toEqual(new Float32Array(3 * width).fill(1));
  await session.dispose();
});
