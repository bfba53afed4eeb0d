import { createWebBackend } from '@sd/backend-web';
import { BackendError, tensor } from '@sd/core';
import { Graph } from '@sd/graph';
import { expect, test } from 'vitest';
import { backendOn } from './backends.js';

const feeds = { x: tensor('float32', [2], Float32Array.of(1, -1)) };

function twice(): ReturnType<Graph['finish']> {
  const g = new Graph();
  const x = g.input('x', ['n']);
  g.output('y', g.add(x, x));
  return g.finish('twice', { repeated: false });
}

test('a provider chosen by default says why it is not the faster one', async () => {
  const backend = await createWebBackend({ threads: 2 });
  expect(backend.provider).toBe('wasm');
  expect(backend.warnings).toMatchObject([
    { code: 'no-webgpu', message: expect.stringContaining('WebGPU would run on the processor here') },
  ]);
  await backend.dispose();
});

test('a number of threads that comes too late is reported', async () => {
  const [first, second] = [await backendOn('wasm', { threads: 2 }), await backendOn('wasm', { threads: 1 })];
  expect(first.warnings).toEqual([]);
  expect(second.warnings).toMatchObject([{ code: 'threads-fixed' }]);
});

test('unknown options are refused', async () => {
  await expect(createWebBackend({ provider: 'cuda' as 'wasm' })).rejects.toMatchObject({ option: 'provider' });
  await expect(createWebBackend({ threads: 0 })).rejects.toMatchObject({ option: 'threads' });
});

test('weights that WebAssembly has no room for are refused before they are read', async () => {
  const backend = await backendOn('wasm');
  const weights = [{ location: 'unet.safetensors', read: () => Promise.reject(new Error('This must not be read.')) }];
  const model = { ...twice(), name: 'unet', weights, hints: { weightBytes: 5 * 2 ** 30 } };
  await expect(backend.load(model)).rejects.toMatchObject({
    reason: 'out-of-memory',
    message: expect.stringMatching(/^unet: its weights take 5\.0 GiB, and WebAssembly has 4 GiB/),
  });
  await backend.dispose();
});

test('a lost device is reported, and the next run opens another', async () => {
  const { gpu } = navigator as unknown as { gpu: { requestAdapter(): Promise<{ requestDevice: () => unknown }> } };
  const prototype = Object.getPrototypeOf(await gpu.requestAdapter());
  const { requestDevice } = prototype;
  const devices: { destroy(): void; lost: Promise<unknown> }[] = [];
  prototype.requestDevice = async function (...given: unknown[]) {
    const device = await requestDevice.apply(this, given);
    devices.push(device);
    return device;
  };
  try {
    const backend = await backendOn('webgpu');
    const session = await backend.load(twice());
    const running = session.run(feeds);
    devices[0].destroy();
    await devices[0].lost;
    const error = await running.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({
      reason: 'device-lost',
      message: expect.stringMatching(/^twice: the graphics device/),
    });
    const { y } = await session.run(feeds);
    expect([...(y!.data as Float32Array)]).toEqual([2, -2]);
    expect(devices).toHaveLength(2);
    await backend.dispose();
  } finally {
    prototype.requestDevice = requestDevice;
  }
});
