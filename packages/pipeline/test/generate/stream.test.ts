import { type NoisePredictor, tensor } from '@sd/core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPipeline, loadPipeline, type Pipeline, type PipelineEvent, type StepEvent } from '../../src/index.js';
import { mockStages, road } from '../support.js';

const nameOf = (event: PipelineEvent) =>
  event.type === 'encode'
    ? 'encode'
    : event.type === 'step'
      ? `step ${event.index}.${event.step}`
      : event.type === 'image'
        ? `image ${event.index}`
        : event.type;

async function drain(stream: ReturnType<Pipeline['stream']>) {
  const events: PipelineEvent[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { events, result: value };
    events.push(value);
  }
}

describe('a stream', () => {
  test('yields an event for the prompts, then for each image’s steps and the image', async () => {
    const sd = createPipeline(mockStages());
    const { events, result } = await drain(sd.stream({ ...road, count: 2 }));
    expect(events.map(nameOf)).toEqual([
      'encode',
      'step 0.0',
      'step 0.1',
      'image 0',
      'step 1.0',
      'step 1.1',
      'image 1',
      'done',
    ]);
    expect(result.seeds).toEqual([1, 2]);
    const images = events.flatMap((event) => (event.type === 'image' ? [event] : []));
    expect(result.images).toEqual(images.map(({ image }) => image));
    expect(images.map(({ seed }) => seed)).toEqual([1, 2]);
    expect(events.at(-1)).toEqual({ type: 'done', ...result, images: undefined });
  });

  test('frees the U-Net before decoding if stages are released', async () => {
    const calls: string[] = [];
    const stages = mockStages();
    const [{ textEncoder }] = stages.textEncoders;
    for (const [name, stage] of Object.entries({ textEncoder, unet: stages.noisePredictor, vae: stages.vae })) {
      stage.release = async () => void calls.push(name);
    }
    const sd = createPipeline({ ...stages, releaseStages: true });
    for await (const event of sd.stream({ ...road, steps: 1, count: 2 })) calls.push(nameOf(event));
    const order = ['textEncoder', 'encode', 'step 0.0', 'step 1.0', 'unet', 'image 0', 'image 1', 'done'];
    expect(calls.slice(0, 8)).toEqual(order);
    expect(calls.slice(8).sort()).toEqual(['textEncoder', 'unet', 'vae']);
  });

  test('returns the same result as generate', async () => {
    const sd = createPipeline(mockStages());
    const { result, events } = await drain(sd.stream(road));
    const generated = await sd.generate(road);
    expect(generated.images[0].data).toEqual(result.images[0].data);
    expect({ ...generated, images: [], timings: {} }).toEqual({ ...result, images: [], timings: {} });
    const spent = (type: string) =>
      events.reduce((sum, event) => sum + (event.type === type && 'milliseconds' in event ? event.milliseconds : 0), 0);
    const { encode, denoise, decode } = result.timings;
    expect([encode, denoise, decode]).toEqual([spent('encode'), spent('step'), spent('image')]);
  });

  test('that is left early lets the next request run', async () => {
    const sd = createPipeline(mockStages());
    for await (const event of sd.stream(road)) if (event.type === 'step') break;
    expect((await sd.generate(road)).images).toHaveLength(1);
  });

  test('does nothing before it is read', async () => {
    const stages = mockStages();
    const encode = vi.spyOn(stages.textEncoders[0].textEncoder, 'encode');
    const sd = createPipeline(stages);
    const unread = sd.stream(road);
    await sd.generate(road);
    expect(encode).toHaveBeenCalledTimes(1);
    await unread.return(undefined as never);
  });
});

describe('onStep', () => {
  test('gets every step, and is awaited', async () => {
    const seen: string[] = [];
    const onStep = async ({ index, step }: StepEvent) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${index}.${step}`);
    };
    await createPipeline(mockStages()).generate({ ...road, count: 2, onStep });
    expect(seen).toEqual(['0.0', '0.1', '1.0', '1.1']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new RangeError('enough');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('enough'))],
  ])('that %s ends the run with its error', async (_, onStep) => {
    const stages = mockStages();
    const predict = vi.spyOn(stages.noisePredictor, 'predict');
    const sd = createPipeline(stages);
    await expect(sd.generate({ ...road, onStep })).rejects.toThrow(new RangeError('enough'));
    expect(predict).toHaveBeenCalledTimes(1);
    expect((await sd.generate(road)).images).toHaveLength(1);
  });
});

describe('preview', () => {
  let tiny: Pipeline;
  beforeAll(async () => {
    tiny = await loadPipeline();
  });
  afterAll(() => tiny.dispose());

  test('has one pixel per latent', async () => {
    const previews = [];
    for await (const event of tiny.stream({ ...road, width: 96 })) {
      if (event.type === 'step') previews.push(await event.preview());
    }
    expect(previews).toMatchObject([
      { width: 12, height: 8 },
      { width: 12, height: 8 },
    ]);
    expect(previews[0].data).not.toEqual(previews[1].data);
  });

  test('is decoded only when requested, from that step’s estimate', async () => {
    const stages = mockStages();
    const preview = vi.fn(async () => tensor('float32', [1, 3, 2, 4]));
    stages.vae.preview = preview;
    const decode = vi.spyOn(stages.vae, 'decode');
    const sd = createPipeline(stages);
    const steps: StepEvent[] = [];
    await sd.generate({ ...road, onStep: (step) => void steps.push(step) });
    expect(preview).not.toHaveBeenCalled();
    expect(decode).toHaveBeenCalledTimes(1);
    expect(await steps[0].preview()).toMatchObject({ width: 4, height: 2 });
    expect(preview.mock.calls).toMatchObject([[steps[0].denoised, {}]]);
  });

  test('is fully decoded by a VAE without preview()', async () => {
    const sd = createPipeline(mockStages());
    for await (const event of sd.stream({ ...road, steps: 1 })) {
      if (event.type === 'step') expect(await event.preview()).toMatchObject({ width: 64, height: 64 });
    }
  });
});

test('the error for a U-Net that returns NaN names it and the timestep', async () => {
  const predict: NoisePredictor['predict'] = async ({ sample: { dims, data }, timestep }) =>
    tensor('float32', dims, timestep < 500 ? data.map(() => Number.NaN) : data);
  const stages = mockStages();
  const sd = createPipeline({ ...stages, noisePredictor: { ...stages.noisePredictor, predict } });
  const onStep = vi.fn();
  await expect(sd.generate({ ...road, onStep })).rejects.toMatchObject({
    code: 'not-finite',
    message: 'The U-Net’s output at timestep 1 is NaN at index 0 of 512.',
  });
  expect(onStep).toHaveBeenCalledTimes(1);
});
