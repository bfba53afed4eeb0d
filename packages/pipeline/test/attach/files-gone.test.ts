import { cp, mkdtemp, rm, truncate, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend } from '@sd/backend-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture, sd1 } from '../../../../fixtures/golden.js';
import { loadPipeline } from '../../src/index.js';
import { counting, road, using } from '../support.js';

const { backend, counts } = counting(createNodeBackend({ threads: 1 }));
const lora = `${fixture('adapters/lora-kohya')}/style.safetensors`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sd-gone-'));
});
afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true });
});

test.each([
  ['deleted', 'not-found', (file: string) => unlink(file)],
  ['cut', 'bad-checkpoint', (file: string) => truncate(file, 1000)],
])('attach() to a model whose file was %s changes nothing', async (how, code, change) => {
  const model = path.join(folder, how);
  await cp(sd1, model, { recursive: true });
  await using(loadPipeline(model, { backend }), async (sd) => {
    const { open } = counts;
    // Not drawn before: a page of a file that was cut cannot be read any more.
    const before = how === 'deleted' ? await sd.generate(road) : undefined;
    await change(path.join(model, 'unet/diffusion_pytorch_model.safetensors'));
    await expect(sd.attach(lora)).rejects.toMatchObject({ code });
    expect(sd.attached).toEqual([]);
    expect(counts.open).toBe(open);
    if (before === undefined) return;
    expect((await sd.generate(road)).images[0].data).toEqual(before.images[0].data);
  });
});
