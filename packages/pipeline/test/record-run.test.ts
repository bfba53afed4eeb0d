import { animate, enlarge } from '@sd/image';
import { describe, expect, test } from 'vitest';
import { createPipeline, recordRun } from '../src/index.js';
import { mockStages, road } from './support.js';

describe('recordRun', () => {
  test('returns the result, and a preview of each step of each image', async () => {
    const sd = createPipeline(mockStages());
    const { result, previews } = await recordRun(sd.stream({ ...road, steps: 3, count: 2 }));
    expect(result.images).toHaveLength(2);
    expect(previews.map((steps) => steps.length)).toEqual([3, 3]);
    const last = previews[1][2];
    await expect(animate(previews[1].map((preview) => enlarge(preview, 64 / last.width)))).resolves.toBeInstanceOf(
      Uint8Array,
    );
  });

  test('a preview that fails ends the run', async () => {
    const stages = mockStages();
    const vae = { ...stages.vae, preview: () => Promise.reject(new Error('no preview')) };
    const stream = createPipeline({ ...stages, vae }).stream({ ...road });
    await expect(recordRun(stream)).rejects.toThrow('no preview');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});
