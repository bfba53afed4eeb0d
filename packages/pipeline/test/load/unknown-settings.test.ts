import { createNodeBackend } from '@sd/backend-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { loadPipeline } from '../../src/index.js';
import { edited, filesOf, road, sourceOf } from '../support.js';

const backend = createNodeBackend();
let files: Map<string, Uint8Array>;
beforeAll(async () => {
  files = await filesOf();
});
afterAll(() => backend.dispose());

const scheduler = 'scheduler/scheduler_config.json';

/** The latents of a short run with a folder, and its warnings about settings. */
async function drawn(folder: ReadonlyMap<string, Uint8Array>) {
  const sd = await loadPipeline(sourceOf(folder), { backend });
  const { latents } = await sd.generate({ ...road, output: 'latents' });
  await sd.dispose();
  return { latents: [...latents!.data], warnings: sd.warnings.filter(({ code }) => code === 'unknown-settings') };
}

test('settings that no class has are left out, with warnings that name them', async () => {
  let changed = edited(files, scheduler, { predict_epsilon: true, an_option_of_tomorrow: false });
  changed = edited(changed, 'unet/config.json', { a_block_of_tomorrow: 3, _name_or_path: 'somewhere' });
  changed = edited(changed, 'vae/config.json', { tiling: true });
  const { latents, warnings } = await drawn(changed);
  const plain = await drawn(files);
  expect(plain.warnings).toEqual([]);
  expect(latents).toEqual(plain.latents);
  expect(warnings.map(({ message }) => message)).toEqual([
    `${scheduler}: no scheduler has the options predict_epsilon, an_option_of_tomorrow. They are left out.`,
    'The config of unet has settings that its class does not have: a_block_of_tomorrow. They are left out.',
    'The config of vae has settings that its class does not have: tiling. They are left out.',
  ]);
});

test.each(['models/sd2', 'models/sdxl', 'models/sd3'])('%s has no unknown settings', async (name) => {
  const sd = await loadPipeline(sourceOf(await filesOf(fixture(name))), { backend, releaseStages: true });
  await sd.dispose();
  expect(sd.warnings.filter(({ code }) => code === 'unknown-settings')).toEqual([]);
});
