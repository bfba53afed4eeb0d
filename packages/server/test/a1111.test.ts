import { createImage, enlarge, type Pixels, readImage, readParameters } from '@sd/image';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createServer, type RunningServer } from '../src/node.js';

let server: RunningServer;
beforeAll(async () => {
  server = await createServer({ port: 0 });
});
afterAll(() => server.close());

async function call(path: string, body?: object) {
  const init = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await fetch(`${server.url}/sdapi/v1/${path}`, init);
  return { status: response.status, json: (await response.json()) as Record<string, never> };
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const post = (path: string) => call(path, {});

async function draw(path: string, body: object) {
  const { status, json } = await call(path, { steps: 2, seed: 7, ...body });
  expect([status, json.detail]).toEqual([200, undefined]);
  return { images: json.images as string[], parameters: json.parameters, info: JSON.parse(json.info) };
}

/** What front ends such as SillyTavern send, with fields that have no effect here. */
const typical = {
  negative_prompt: 'snow',
  sampler_name: 'DPM++ 2M',
  scheduler: 'Karras',
  cfg_scale: 4,
  width: 128,
  height: 128,
  restore_faces: false,
  enable_hr: false,
  save_images: true,
  send_images: true,
  do_not_save_grid: false,
  do_not_save_samples: false,
  alwayson_scripts: {},
  override_settings: { CLIP_stop_at_last_layers: 1 },
  override_settings_restore_afterwards: true,
};

test('txt2img draws a batch with A1111’s names of samplers, and says so', async () => {
  const { images, info, parameters } = await draw('txt2img', { prompt: '(a red apple:1.2)', n_iter: 2, ...typical });
  expect(images).toHaveLength(2);
  expect(parameters).toMatchObject({ prompt: '(a red apple:1.2)', n_iter: 2 });
  expect(info).toMatchObject({ all_seeds: [7, 8], cfg_scale: 4, width: 128, sd_model_name: 'tiny', steps: 2 });
  const read = (await readParameters(bytesOf(images[1])))!;
  expect(read).toMatchObject({ prompt: '(a red apple:1.2)', negativePrompt: 'snow' });
  expect(read.settings).toMatchObject({ Seed: '8', Sampler: 'DPM++ 2M Karras', 'CFG scale': '4' });
  expect(info.infotexts[1]).toContain('Seed: 8');
  const { json } = await call('png-info', { image: `data:image/png;base64,${images[1]}` });
  expect(json).toMatchObject({ info: info.infotexts[1], parameters: { Prompt: '(a red apple:1.2)', Seed: '8' } });
});

test('a second pass, subseeds, and images that are not sent', async () => {
  const { images } = await draw('txt2img', {
    prompt: 'a cat',
    enable_hr: true,
    hr_scale: 1.5,
    denoising_strength: 0.7,
  });
  const image = await readImage(bytesOf(images[0]));
  expect([image.width, image.height]).toEqual([192, 192]);
  const subseeds = await draw('txt2img', {
    prompt: 'a cat',
    batch_size: 2,
    subseed: 3,
    subseed_strength: 0.5,
    send_images: false,
  });
  expect(subseeds.images).toEqual([]);
  expect(subseeds.info).toMatchObject({ all_seeds: [7, 7], all_subseeds: [3, 4], subseed_strength: 0.5 });
});

/** A square that is white from `left` on. */
function half(left: number, size = 128): Pixels {
  const data = new Uint8ClampedArray(size * size * 4);
  for (let i = 0; i < size * size; i++)
    data.fill(i % size >= left ? 255 : 0, i * 4, i * 4 + 3).fill(255, i * 4 + 3, i * 4 + 4);
  return { width: size, height: size, data };
}
const fileOf = async (pixels: Pixels) => base64(await enlarge(pixels, 1).toPng());
const gray = (size: number) =>
  createImage({ type: 'float32', dims: [3, size, size], data: new Float32Array(3 * size * size) });

test('img2img starts from an image, and brings it to the size by its mode', async () => {
  const images = [base64(await gray(64).toPng())];
  const fields = {
    prompt: 'a cat',
    init_images: images,
    width: 128,
    height: 128,
    resize_mode: 1,
    denoising_strength: 0.6,
  };
  const drawn = await draw('img2img', { ...fields, steps: 5 });
  expect((await readParameters(bytesOf(drawn.images[0])))!.settings['Denoising strength']).toBe('0.6');
  expect(drawn.parameters).toMatchObject({ init_images: null });
});

test.each([
  ['the whole image', { inpaint_full_res: false }, 128],
  ['the masked region of a larger image', { inpaint_full_res: true, inpaint_full_res_padding: 8 }, 256],
  [
    'what the mask keeps, inverted, from filled colours',
    { inpainting_mask_invert: 1, inpainting_fill: 0, inpaint_full_res: 0 },
    128,
  ],
])('inpainting repaints %s, and keeps the rest to the bit', async (_, fields, size) => {
  const isInverted = 'inpainting_mask_invert' in fields;
  const { images } = await draw('img2img', {
    prompt: 'a red apple',
    init_images: [await fileOf(gray(size))],
    mask: await fileOf(half(size / 2, size)),
    mask_blur: 0,
    width: 128,
    height: 128,
    denoising_strength: 1,
    inpainting_fill: 1,
    ...fields,
  });
  const { width, data } = await readImage(bytesOf(images[0]));
  expect(width).toBe(size);
  const changed = (from: number, to: number) =>
    Array.from({ length: size * size }, (_, i) => i).filter(
      (i) => i % size >= from && i % size < to && data[i * 4] !== 128,
    ).length;
  const [left, right] = [changed(0, size / 2), changed(size / 2, size)];
  expect(isInverted ? right : left).toBe(0);
  expect(isInverted ? left : right).toBeGreaterThan((size * size) / 4);
  expect((await readParameters(bytesOf(images[0])))!.prompt).toBe('a red apple');
});

test('progress shows the run with a preview; interrupt ends it, and skip goes on with the next image', async () => {
  expect((await call('progress')).json).toMatchObject({ progress: 0, current_image: null });
  const long = draw('txt2img', { prompt: 'a cat', steps: 60, batch_size: 2 });
  const progress = async () => (await call('progress')).json as Record<string, never>;
  await vi.waitFor(async () => expect((await progress()).current_image).not.toBe(null), {
    timeout: 10_000,
    interval: 30,
  });
  const { progress: done, state, current_image } = await progress();
  expect(done).toBeGreaterThan(0);
  expect(state).toMatchObject({ job_count: 2, job_no: 0, sampling_steps: 60, interrupted: false });
  expect((await readImage(bytesOf(current_image))).width).toBe(128);
  await post('skip');
  await vi.waitFor(async () => expect((await progress()).state).toMatchObject({ job_no: 1 }), {
    timeout: 10_000,
    interval: 30,
  });
  await post('interrupt');
  const { images, info } = await long;
  expect(images.length).toBeLessThanOrEqual(2);
  expect(info.all_seeds[0]).toBe(7);
});

test('settings hold for later requests, and name the model', async () => {
  expect((await call('options')).json).toMatchObject({ sd_model_checkpoint: 'tiny', CLIP_stop_at_last_layers: 1 });
  await call('options', { sd_model_checkpoint: 'other', CLIP_stop_at_last_layers: 2, unknown_setting: true });
  expect((await call('options')).json).toMatchObject({ sd_model_checkpoint: 'other', CLIP_stop_at_last_layers: 2 });
  expect((await call('txt2img', { prompt: 'a cat' })).status).toBe(404);
  const { images } = await draw('txt2img', { prompt: 'a cat', override_settings: { sd_model_checkpoint: 'tiny' } });
  expect((await readParameters(bytesOf(images[0])))!.settings['Clip skip']).toBe('2');
  await call('options', { sd_model_checkpoint: 'tiny', CLIP_stop_at_last_layers: 1 });
});

test.each([
  'sd-models',
  'samplers',
  'schedulers',
  'upscalers',
  'latent-upscale-modes',
  'loras',
  'prompt-styles',
  'sd-vae',
])('%s is a list', async (path) => {
  const { status, json } = await call(path);
  expect([status, Array.isArray(json)]).toEqual([200, true]);
});

test('models, samplers and the rest have the fields of A1111', async () => {
  expect((await call('sd-models')).json).toMatchObject([{ title: 'tiny', model_name: 'tiny' }]);
  const samplers = (await call('samplers')).json as unknown as { name: string }[];
  expect(samplers.map(({ name }) => name)).toContain('DPM++ 2M SDE');
  expect((await call('embeddings')).json).toEqual({ loaded: {}, skipped: {} });
  expect((await call('memory')).json).toMatchObject({ ram: { total: expect.any(Number) } });
  for (const path of ['cmd-flags', 'script-info', 'scripts']) expect((await call(path)).status).toBe(200);
  expect((await post('refresh-checkpoints')).status).toBe(200);
});

test('an image without a size is as limited as one with it', async () => {
  const init_images = [await fileOf(half(8, 2056))];
  const { status, json } = await call('img2img', { prompt: 'a cat', init_images });
  expect([status, json.detail]).toEqual([400, expect.stringContaining('pixels are more than')]);
});

test.each<[string, string, object, number]>([
  ['an unknown sampler', 'txt2img', { sampler_name: 'Eular' }, 404],
  ['an unknown schedule', 'txt2img', { sampler_name: 'Euler', scheduler: 'Cubic' }, 404],
  ['a script', 'txt2img', { script_name: 'xyz plot' }, 422],
  ['no image', 'img2img', {}, 404],
  ['an address as an image', 'img2img', { init_images: ['http://example.org/a.png'] }, 400],
  ['too many images', 'txt2img', { batch_size: 4, n_iter: 4 }, 400],
  ['a wrong type', 'txt2img', { steps: 'many' }, 400],
  ['a size that the model cannot have', 'txt2img', { width: 100, height: 100 }, 400],
  ['an upscaler of another kind', 'txt2img', { enable_hr: true, hr_upscaler: 'R-ESRGAN 4x+' }, 400],
])('%s is an error in the form of the API', async (_, path, body, expected) => {
  const { status, json } = await call(path, { prompt: 'a cat', steps: 1, ...body });
  expect([status, typeof json.detail]).toEqual([expected, 'string']);
});
