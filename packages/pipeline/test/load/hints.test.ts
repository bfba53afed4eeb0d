import { expect, test } from 'vitest';
import { inspect, loadPipeline } from '../../src/index.js';

const message = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    (error: Error) => error.message,
  );

test.each([
  [{ torch_dtype: 'float16' }, 'Did you mean dtype?'],
  [{ executionProviders: ['cuda'] }, 'Did you mean device?'],
  [{ varient: 'fp16' }, 'Did you mean variant?'],
])('loadPipeline: %j', async (options, hint) => {
  expect(await message(loadPipeline(undefined, options as object))).toContain(hint);
});

test('options and schedulers of other libraries', async () => {
  const sd = await loadPipeline();
  const draw = (options: object) => message(sd.generate({ prompt: 'a', steps: 1, ...options }));
  expect(await draw({ num_inference_steps: 20 })).toContain('Did you mean steps?');
  expect(await draw({ cfg_scale: 7 })).toContain('Did you mean guidanceScale?');
  expect(await draw({ scheduler: 'dpmp-2m-karas' })).toContain('Did you mean dpmpp-2m-karras?');
  for (const scheduler of ['euler_a', 'dpm++ 2m karras']) expect(await draw({ scheduler })).toBe('no error');
  await sd.dispose();
});

test.each([['https://civitai.com/models/4201/x?modelVersionId=1', /Download button/]])(
  'the web page %s',
  async (page, expected) => {
    expect(await message(loadPipeline(page))).toMatch(expected);
    expect(await message(inspect(page))).toMatch(expected);
  },
);

test('a device or a precision with a backend', async () => {
  const backend = { provider: 'x', load: async () => ({}), dispose: async () => {} } as never;
  expect(await message(loadPipeline(undefined, { backend, device: 'cuda' }))).toMatch(/^device: has no effect/);
  expect(await message(loadPipeline(undefined, { device: 'gpu' as never }))).toMatch(/^device: must be auto or cpu or/);
});

test('a device that does not start says what it needs', async () => {
  expect(await message(loadPipeline(undefined, { device: 'coreml' }))).toMatch(/coreml.*macOS/s);
});
