import { readdirSync } from 'node:fs';
import { createNodeBackend } from '@sd/backend-node';
import { stack, tensor } from '@sd/core';
import { afterAll, describe, expect, test } from 'vitest';
import { stageError } from '../../../../fixtures/deviations.js';
import { fixture, readGolden, relativeError } from '../../../../fixtures/golden.js';
import { loadPipeline } from '../../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const folder = fixture('adapters/hypernetwork-kinds');
const files = readdirSync(folder).filter((file) => file.endsWith('.pt'));
const golden = readGolden('golden.safetensors', folder);

describe('every kind of hypernetwork that A1111 saves matches its formula', () => {
  test('all kinds are tested', () => expect(files.length).toBeGreaterThanOrEqual(9));

  test.each(files)('%s', async (file) => {
    const sd = await loadPipeline(fixture('models/sd1'), { backend });
    try {
      await sd.attach(`${folder}/${file}`, { name: 'kind' });
      const { textEncoders, noisePredictor } = sd.stages;
      const [{ tokenizer, textEncoder }] = textEncoders;
      const [{ hidden }] = (await textEncoder.encode([tokenizer.encode('a blue car on a road')])) as [
        Awaited<ReturnType<typeof textEncoder.encode>>[number],
      ];
      const predict = (strength: number) =>
        noisePredictor.predict({
          sample: golden('unet.sample'),
          timestep: 500,
          context: stack([hidden]),
          conditions: { 'strength.kind': tensor('float32', [1], Float32Array.of(strength)) },
        });
      const expected = golden(`${file.slice(0, -3)}.unet.out.t500`).data;
      expect(stageError('hypernetwork-kinds', (await predict(0.8)).data, expected)).toBeLessThan(1e-5);
      expect(relativeError((await predict(0)).data, expected)).toBeGreaterThan(1e-3);
    } finally {
      await sd.dispose();
    }
  });
});
