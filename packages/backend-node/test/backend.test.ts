import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createNodeBackend, type NodeBackendOptions } from '@sd/backend-node';
import type { Backend } from '@sd/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { boolGraph, slowFeeds, slowGraph, weightedGraph } from './graphs.js';

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);
const slow = { name: 'slow', graph: slowGraph(), weights: [] };

let backend: Backend;
const make = (options: NodeBackendOptions = {}) => {
  backend = createNodeBackend({ threads: 1, ...options });
  return backend;
};
afterEach(() => backend?.dispose());

describe('threads', () => {
  let folder: string;
  const log = async () => (await readFile(path.join(folder, 'log'), 'utf8')).trim().split('\n');
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'runtime-'));
    // A worker copies its environment when it starts.
    process.env.RUNTIME_LOG = path.join(folder, 'log');
  });
  afterEach(async () => {
    delete process.env.RUNTIME_LOG;
    await rm(folder, { recursive: true });
  });

  test('the main thread makes no native calls', async () => {
    make({ runtime: fixture('recording-runtime.mjs') });
    const session = await backend.load(slow);
    await session.run(slowFeeds(1));
    await session.dispose();
    await backend.load(slow);
    await backend.dispose();
    const calls = ['import', 'create', 'run', 'release', 'create', 'release'];
    expect(await log()).toEqual(calls.map((call) => `${call} worker`));
  });

  test('a session that is loaded after an abort is released', async () => {
    make({ runtime: fixture('recording-runtime.mjs') });
    const first = await backend.load(slow);
    const controller = new AbortController();
    const load = backend.load(slow, { signal: controller.signal });
    // By then the request has been sent to the worker and cannot just be dropped from the queue.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await expect(load).rejects.toMatchObject({ code: 'aborted' });
    await first.dispose();
    // Nothing waits for the late session, so it may be released last.
    const calls = async () => (await log()).map((line) => line.split(' ')[0]);
    await expect.poll(calls, { timeout: 10_000 }).toEqual(['import', 'create', 'create', 'release', 'release']);
  });

  test('a run does not block the event loop', async () => {
    const session = await make().load(slow);
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 10);
    await session.run(slowFeeds(1000));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  test('an aborted run rejects at once, and an aborted queued run is never started', async () => {
    make({ runtime: fixture('recording-runtime.mjs') });
    const session = await backend.load(slow);
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = [session.run(slowFeeds(1000), { signal }), session.run(slowFeeds(1), { signal })];
    let ended = false;
    const last = session.run(slowFeeds(1)).then(() => {
      ended = true;
    });
    setTimeout(() => controller.abort(), 20);
    for (const run of aborted) await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(ended).toBe(false);
    await last;
    expect((await log()).filter((line) => line.startsWith('run'))).toHaveLength(2);
  });
});

describe('a worker that dies', () => {
  test('rejects pending and later calls, and can be disposed', async () => {
    make({ runtime: fixture('dying-runtime.mjs') });
    const session = await backend.load(slow);
    const died = { code: 'backend', message: expect.stringContaining('died: exit code 7') };
    const runs = [session.run({}), session.run({}), backend.load(slow)];
    for (const run of runs) await expect(run).rejects.toMatchObject(died);
    await expect(session.run({})).rejects.toMatchObject(died);
    await expect(backend.load(slow)).rejects.toMatchObject(died);
    await session.dispose();
    await backend.dispose();
    await expect(backend.load(slow)).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('dispose', () => {
  test('lets the current run finish and drops the queued one', async () => {
    const session = await make().load(slow);
    const runs = [session.run(slowFeeds(200)), session.run(slowFeeds(1))] as const;
    const settled = Promise.allSettled(runs);
    await backend.dispose();
    const [first, second] = await settled;
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'disposed' } });
  });

  test('works if nothing was loaded', async () => {
    await make().dispose();
    await expect(backend.load(slow)).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('errors', () => {
  test('invalid options are rejected', () => {
    expect(() => createNodeBackend({ provider: 'gpu' as 'cpu' })).toThrow(/^provider: 'gpu' is not one of cpu, cuda/);
    expect(() => createNodeBackend({ threads: 0 })).toThrow(/^threads: must be an integer above 0, not 0/);
  });

  test('a provider that the platform lacks is an error that says so', async () => {
    const provider = process.platform === 'darwin' ? 'dml' : 'coreml';
    await expect(make({ provider }).load(slow)).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringMatching(
        new RegExp(`^The provider '${provider}' is not in onnxruntime-node on .*, which has cpu`),
      ),
    });
  });

  test('a runtime that cannot be imported is an error with its name', async () => {
    await expect(make({ runtime: 'no-such-runtime' }).load(slow)).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringContaining("could not be imported from 'no-such-runtime'"),
    });
  });

  test('only WebGPU needs a check before graphs are written', async () => {
    const backend = make({ float16: true });
    await expect(backend.ready?.()).resolves.toBeUndefined();
    expect([backend.features, backend.warnings]).toEqual([{ float16: true, fusedAttention: true }, []]);
  });

  test('an unknown tensor type is unsupported', async () => {
    await expect(make().load({ name: 'not', graph: boolGraph(), weights: [] })).rejects.toMatchObject({
      code: 'unsupported',
      message: "not: 'x' is bool; supported types are float32, float16, float64, int32, int64.",
    });
  });

  test('ONNX Runtime’s errors are prefixed with the name of the model', async () => {
    const graph = weightedGraph([{ location: 'no/such/file', offset: 0 }]);
    await expect(make().load({ name: 'unet', graph, weights: [] })).rejects.toMatchObject({
      code: 'backend',
      message: expect.stringMatching(/^unet: .*no\/such\/file/),
    });
  });
});
