import { readFile } from 'node:fs/promises';
import { createNodeBackend } from '@sd/backend-node';
import { afterAll, describe, expect, test } from 'vitest';
import { fixture } from '../../../../fixtures/golden.js';
import { type LoadPipelineOptions, loadPipeline, type Pipeline } from '../../src/index.js';
import { counting, gate, road } from '../support.js';

const node = createNodeBackend({ threads: 1 });
afterAll(() => node.dispose());

const adapter = (name: string) => fixture(`adapters/${name}`);
const lora = `${adapter('lora-kohya')}/style.safetensors`;
const hypernetwork = `${adapter('hypernetwork')}/hypernetwork.pt`;
const word = `${adapter('textual-inversion')}/blob.pt`;
const [canny, depth] = ['canny', 'depth'].map((name) => `${adapter('controlnet')}/${name}`) as [string, string];
const short = { ...road, steps: 1 };

type Counts = ReturnType<typeof counting>['counts'];

/** Runs with a model on a counting backend; expects that no session is open at the end. */
async function counted(
  run: (sd: Pipeline, counts: Counts) => Promise<void>,
  options: LoadPipelineOptions = {},
): Promise<void> {
  const { backend, counts } = counting(node);
  const sd = await loadPipeline(fixture('models/sd1'), { ...options, backend });
  try {
    counts.loaded = [];
    await run(sd, counts);
  } finally {
    await sd.dispose();
    expect(counts.open).toBe(0);
  }
}

/** The names of the sessions created since the last call. */
function createdSessions(counts: Counts): string[] {
  const names = counts.loaded.sort();
  counts.loaded = [];
  return names;
}

describe('sessions', () => {
  test('are replaced for the models that an adapter changes, but not for a change of strength', () =>
    counted(async (sd, counts) => {
      expect(await sd.attach(lora)).toMatchObject({ name: 'style', kind: 'lora' });
      expect(createdSessions(counts)).toEqual(['text_encoder', 'unet']);
      for (const style of [0.3, (fraction: number) => fraction, { unet: 0 }]) {
        await sd.generate({ ...short, adapters: { style } });
      }
      await sd.attach(hypernetwork);
      expect(createdSessions(counts)).toEqual(['unet']);
      await sd.attach(word);
      expect(createdSessions(counts)).toEqual([]);
      expect(counts.open).toBe(3);
      expect(sd.attached.map(({ name }) => name)).toEqual(['style', 'hypernetwork', 'blob']);

      await sd.detach('style');
      expect(createdSessions(counts)).toEqual(['text_encoder', 'unet']);
      await sd.detach('blob');
      await sd.detach('hypernetwork');
      expect(createdSessions(counts)).toEqual(['unet']);
      expect(counts.open).toBe(3);
      expect(sd.attached).toEqual([]);
    }));

  test('two ControlNets share the U-Net’s inputs, whichever is detached', () =>
    counted(async (sd, counts) => {
      await sd.attach(canny);
      expect(createdSessions(counts)).toEqual(['unet']);
      await sd.attach(depth);
      expect(createdSessions(counts)).toEqual([]);
      const image = await readFile(`${adapter('controlnet')}/depth.png`);
      const drawn = async (name: string) =>
        (await sd.generate({ ...short, adapters: { [name]: { image } } })).images[0].data;
      const both = await drawn('depth');
      expect(createdSessions(counts)).toEqual(['controlnet', 'controlnet_image']);
      await sd.detach('canny');
      expect(createdSessions(counts)).toEqual([]);
      expect(await drawn('depth')).toEqual(both);
      await expect(drawn('canny')).rejects.toMatchObject({ option: 'adapters.canny' });
      expect(counts.open).toBe(5);
      await sd.detach('depth');
      expect(createdSessions(counts)).toEqual(['unet']);
      expect(counts.open).toBe(3);
    }));

  test('those of adapters are released with the others by releaseStages', () =>
    counted(
      async (sd, counts) => {
        await sd.attach(canny);
        expect(createdSessions(counts)).toEqual([]);
        const image = await readFile(`${adapter('controlnet')}/canny.png`);
        const open: number[] = [];
        await sd.generate({ ...short, adapters: { canny: { image } }, onStep: () => void open.push(counts.open) });
        expect(open).toEqual([3]);
        expect(createdSessions(counts)).toEqual([
          'controlnet',
          'controlnet_image',
          'text_encoder',
          'unet',
          'vae_decoder',
        ]);
        expect(counts.open).toBe(0);
        const failed = sd.generate({
          ...short,
          adapters: { canny: { image } },
          onStep: () => Promise.reject(new Error('enough')),
        });
        await expect(failed).rejects.toThrow('enough');
        expect(counts.open).toBe(0);
      },
      { releaseStages: true },
    ));
});

describe('the queue', () => {
  test('attaches, generates and detaches in the order of the calls', () =>
    counted(async (sd) => {
      const attached = sd.attach(lora);
      const styled = sd.generate({ ...short, adapters: { style: 1 } });
      await attached;
      await styled;
      const { passed, open } = gate();
      const order: string[] = [];
      const running = sd.generate({ ...short, onStep: () => passed }).then(() => order.push('drawn'));
      const first = sd.attach(hypernetwork, { name: 'first' }).then(() => order.push('attached'));
      const detached = sd.detach('style').then(() => order.push('detached'));
      open();
      await Promise.all([running, first, detached]);
      expect(order).toEqual(['drawn', 'attached', 'detached']);
      expect(sd.attached).toEqual([{ name: 'first', kind: 'hypernetwork' }]);
    }));

  test.each([false, true])('rejects a pending attach when disposed, releaseStages %s', (releaseStages) =>
    counted(
      async (sd) => {
        const attaching = [sd.attach(canny), sd.attach(lora), sd.detach('canny')];
        const all = Promise.allSettled(attaching);
        await sd.dispose();
        for (const result of await all) {
          expect(result).toMatchObject({
            status: 'rejected',
            reason: { code: 'disposed', message: 'The pipeline was disposed: create a new one.' },
          });
        }
        expect(sd.attached).toEqual([]);
      },
      { releaseStages },
    ),
  );
});
