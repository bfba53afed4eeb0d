import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createNodeBackend, type NodeBackendOptions } from '@sd/backend-node';
import type { Backend } from '@sd/core';
import { AbortError, BackendError, DisposedError, InvalidOptionError } from '@sd/core';
import { afterEach, describe, expect, test } from 'vitest';
import { slowFeeds, slowGraph } from './graphs.js';

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);
const endless = slowFeeds(1e9);
const slow = { name: 'slow', graph: slowGraph(), weights: [] };

let backend: Backend;
const make = (options: NodeBackendOptions = {}) => {
  backend = createNodeBackend({ threads: 1, childProcess: true, ...options });
  return backend;
};
afterEach(() => backend.dispose());

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a backend in a child process', () => {
  test('runs graphs, reports errors, and heeds aborts as one in a thread', async () => {
    const session = await make().load(slow);
    const x = new Float32Array(256 * 256).fill(0.5);
    const { y } = await session.run({ ...slowFeeds(0), x: { type: 'float32', dims: [256, 256], data: x } });
    expect(y).toEqual({ type: 'float32', dims: [256, 256], data: x });
    await expect(backend.load({ ...slow, graph: new Uint8Array(3) })).rejects.toThrow(BackendError);
    const aborted = session.run(slowFeeds(100), { signal: AbortSignal.timeout(5) });
    await expect(aborted).rejects.toThrow(AbortError);
    expect((await session.run(slowFeeds(1))).y.dims).toEqual([256, 256]);
    await session.dispose();
  });

  test('a crash of it is an error, and the backend can be disposed', async () => {
    const session = await make({ runtime: fixture('crashing-runtime.mjs') }).load(slow);
    const run = session.run({});
    await expect(run).rejects.toThrow("ONNX Runtime's process ended: SIGSEGV");
    await expect(run).rejects.toMatchObject({ code: 'backend', reason: 'process-ended' });
    await expect(backend.load(slow)).rejects.toThrow(BackendError);
    await session.dispose();
    await backend.dispose();
    expect((await (await make().load(slow)).run(slowFeeds(1))).y.dims).toEqual([256, 256]);
  });

  test('dispose() ends a run that never ends', async () => {
    const session = await make().load(slow);
    const run = session.run(endless);
    const rejected = expect(run).rejects.toThrow(DisposedError);
    await later(50);
    await backend.dispose();
    await rejected;
  });

  test('a call that takes longer than the time limit is ended', async () => {
    const session = await make({ timeLimit: 4000 }).load(slow);
    await expect(session.run(endless)).rejects.toThrow('took longer than the time limit of 4000 ms');
  }, 20_000);

  test('a thread that uses it can be ended during a run', async () => {
    make();
    const env = { ...process.env, GRAPH: Buffer.from(slowGraph()).toString('base64') };
    const out = await new Promise((resolve, reject) => {
      execFile(process.execPath, [fileURLToPath(fixture('terminate.mjs'))], { env, timeout: 60_000 }, (error, out) =>
        error === null ? resolve(out) : reject(error),
      );
    });
    expect(out).toBe('alive running');
  }, 60_000);
});

test('a time limit needs a process that can be ended', () => {
  make();
  for (const options of [{ timeLimit: 5 }, { childProcess: true, timeLimit: 0 }]) {
    expect(() => createNodeBackend(options)).toThrow(InvalidOptionError);
  }
});
