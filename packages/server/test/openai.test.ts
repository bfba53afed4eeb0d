import { createImage, enlarge, readImage, readParameters } from '@sd/image';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServer, type RunningServer } from '../src/node.js';

let server: RunningServer;
let client: OpenAI;
beforeAll(async () => {
  server = await createServer({ port: 0, aliases: { 'gpt-image-1': 'tiny' }, limits: { bodyBytes: 200_000 } });
  client = new OpenAI({ apiKey: 'none', baseURL: `${server.url}/v1`, maxRetries: 0 });
});
afterAll(() => server.close());

const bytesOf = (base64: string | undefined) => new Uint8Array(Buffer.from(base64 ?? '', 'base64'));

/** Fields that OpenAI's API does not have. */
const few = { steps: 2, seed: 7 } as object;

async function failure(request: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await request.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error, String(error?.cause ?? error)).toBeInstanceOf(OpenAI.APIError);
  return error;
}

test('generations draw with the settings of the request, which are kept in the file', async () => {
  const { data, created, output_format, size } = await client.images.generate({
    prompt: 'a red apple',
    n: 2,
    ...few,
    ...{ guidance_scale: 3, negative_prompt: 'snow', scheduler: 'Euler a' },
  });
  expect(data).toHaveLength(2);
  expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(100);
  expect({ output_format, size }).toEqual({ output_format: 'png', size: '128x128' });
  const read = await readParameters(bytesOf(data![1].b64_json));
  expect(read).toMatchObject({ prompt: 'a red apple', negativePrompt: 'snow' });
  expect(read!.settings).toMatchObject({ Steps: '2', Seed: '8', 'CFG scale': '3', Sampler: 'Euler a' });
  expect(data![1]).toMatchObject({ seed: 8 });
});

test('an image can be fetched from a link', async () => {
  const size = '64x72' as '256x256';
  const { data } = await client.images.generate({ prompt: 'a cat', size, response_format: 'url', ...few });
  const response = await fetch(data![0].url!);
  expect(response.headers.get('content-type')).toBe('image/png');
  const image = await readImage(new Uint8Array(await response.arrayBuffer()));
  expect([image.width, image.height]).toEqual([64, 72]);
});

test('a stream has partial images before each image, at its size', async () => {
  const stream = await client.images.generate({
    prompt: 'a red apple',
    model: 'gpt-image-1',
    stream: true,
    partial_images: 2,
    ...few,
    ...{ steps: 6 },
  });
  const events = [];
  for await (const event of stream) events.push(event);
  expect(events.map((event) => [event.type, 'partial_image_index' in event && event.partial_image_index])).toEqual([
    ['image_generation.partial_image', 0],
    ['image_generation.partial_image', 1],
    ['image_generation.completed', false],
  ]);
  for (const event of events) {
    const image = await readImage(bytesOf(event.b64_json));
    expect(`${image.width}x${image.height}`).toBe('128x128');
  }
});

const gray = createImage({ type: 'float32', dims: [3, 128, 128], data: new Float32Array(3 * 128 * 128) });

test('images are written as JPEG and WebP, with their settings', async () => {
  for (const format of ['jpeg', 'webp'] as const) {
    const { data, output_format } = await client.images.generate({
      prompt: 'a red apple',
      output_format: format,
      output_compression: 80,
      ...few,
    });
    expect(output_format).toBe(format);
    const bytes = bytesOf(data![0].b64_json);
    expect(Buffer.from(bytes.subarray(0, 12)).toString('latin1')).toMatch(
      format === 'jpeg' ? /^\xff\xd8/ : /^RIFF.{4}WEBP/s,
    );
    expect((await readParameters(bytes))!.settings.Seed).toBe('7');
  }
});

/** Left half transparent, right half opaque. */
function halfMask(): Promise<Uint8Array> {
  const data = new Uint8ClampedArray(128 * 128 * 4);
  for (let i = 0; i < data.length; i += 4) data[i + 3] = (i / 4) % 128 < 64 ? 0 : 255;
  return enlarge({ width: 128, height: 128, data }, 1).toPng();
}

test('edits repaint what is transparent in the mask, and keep the rest', async () => {
  const stream = await client.images.edit({
    image: [await toFile(await gray.toPng(), 'gray.png', { type: 'image/png' })],
    mask: await toFile(await halfMask(), 'mask.png', { type: 'image/png' }),
    prompt: 'a red apple',
    stream: true,
    ...few,
    ...{ steps: 4 },
  });
  const events = [];
  for await (const event of stream) events.push(event);
  expect(events.map(({ type }) => type)).toEqual(['image_edit.completed']);
  const { data } = await readImage(bytesOf(events[0].b64_json));
  const spread = (from: number, to: number) => {
    const values = Array.from({ length: 128 * 128 }, (_, i) => i)
      .filter((i) => i % 128 >= from && i % 128 < to)
      .map((i) => Math.abs(data[i * 4] - 128));
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  expect(spread(96, 128)).toBeLessThan(8);
  expect(spread(0, 64)).toBeGreaterThan(20);
});

test('variations start from an image', async () => {
  const image = await toFile(await gray.toPng(), 'gray.png', { type: 'image/png' });
  const { data } = await client.images.createVariation({ image, n: 1, ...few });
  expect((await readParameters(bytesOf(data![0].b64_json)))!.settings['Denoising strength']).toBe('0.7');
});

test('models are listed and found by name', async () => {
  const listed = [];
  for await (const model of client.models.list()) listed.push(model.id);
  expect(listed).toEqual(['tiny', 'gpt-image-1']);
  expect(await client.models.retrieve('tiny')).toMatchObject({ id: 'tiny', object: 'model' });
  const { status, code } = await failure(client.models.retrieve('owner/other'));
  expect([status, code]).toEqual([404, 'model_not_found']);
});

test.each<[string, object, number, string, string | null]>([
  ['another model', { model: 'dall-e-3' }, 404, 'model_not_found', 'model'],
  ['too many images', { n: 11 }, 400, 'invalid_value', 'n'],
  ['too many steps', { steps: 1000 }, 400, 'invalid_value', 'steps'],
  ['too large a size', { size: '4096x4096' }, 400, 'invalid_value', 'size'],
  ['a size that the model cannot have', { size: '100x100' }, 400, 'invalid_value', 'size'],
  ['a size that is none', { size: 'large' }, 400, 'invalid_value', 'size'],
  ['transparency', { background: 'transparent' }, 400, 'invalid_value', 'background'],
  ['a field that is unknown', { stepz: 3 }, 400, 'unknown_parameter', 'stepz'],
  ['a long prompt', { prompt: 'a'.repeat(40_000) }, 400, 'string_above_max_length', 'prompt'],
  ['a scheduler that is unknown', { scheduler: 'eular' }, 400, 'invalid_value', 'scheduler'],
  ['an unknown LoRA', { loras: { style: 1 } }, 400, 'invalid_value', 'loras'],
  ['no prompt', { prompt: null }, 400, 'missing_required_parameter', 'prompt'],
  ['a wrong type', { steps: 'many' }, 400, 'invalid_value', 'steps'],
  ['a large body', { negative_prompt: 'a'.repeat(300_000) }, 413, 'request_too_large', null],
])('%s is an error in the form of the API', async (_, fields, status, code, param) => {
  for (const stream of [false, true]) {
    const request = { prompt: 'a cat', ...few, stream, ...fields } as OpenAI.ImageGenerateParamsNonStreaming;
    const error = await failure(client.images.generate(request));
    expect([error.status, error.code, error.param]).toEqual([status, code, param]);
    expect(error.requestID).toMatch(/^[\w-]{10,}$/);
  }
});

test('broken images and masks are errors that name the field', async () => {
  const broken = await toFile(Buffer.from('not an image'), 'a.png', { type: 'image/png' });
  const image = await toFile(await halfMask(), 'a.png', { type: 'image/png' });
  const error = await failure(client.images.edit({ image: broken, prompt: 'a cat' }));
  expect([error.status, error.param], `${error} ${error.cause}`).toEqual([400, 'image']);
  const two = await failure(client.images.edit({ image: [image, image], prompt: 'a cat' }));
  expect([two.status, two.param]).toEqual([400, 'image']);
});

test('an unknown path is a 404 in the form of the API', async () => {
  const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 'unknown_url', type: 'invalid_request_error' } });
});
