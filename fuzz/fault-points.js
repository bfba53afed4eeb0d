import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { BackendError } from '@sd/core';

/**
 * Counts the places where a generation reads a file or runs native code, and fails chosen ones: SQLite's way of testing
 * I/O errors. `fail(at, always)` fails the place of that number, from 0, or with `always` all from it on.
 */
export function faultPoints() {
  let [count, first, always] = [0, Number.POSITIVE_INFINITY, false];
  const kinds = [];
  return {
    kinds,
    get count() {
      return count;
    },
    fail(at, fromThenOn) {
      [count, first, always] = [0, at, fromThenOn];
      kinds.length = 0;
    },
    heal() {
      [count, first] = [0, Number.POSITIVE_INFINITY];
      kinds.length = 0;
    },
    /** Called at each place; throws the error that `error` creates if this place is to fail. */
    reach(kind, error) {
      const here = count++;
      kinds.push(kind);
      if (here === first || (always && here > first)) throw error();
    },
  };
}

/** Makes every call of the file system that `openFolder` uses a place. Returns a function that undoes it. */
export function faultyFiles(points) {
  const real = { open: fs.open, stat: fs.stat, realpath: fs.realpath };
  const failure = () => Object.assign(new Error('EIO: i/o error'), { code: 'EIO', errno: -5 });
  const faulty =
    (kind, call) =>
    async (...args) => {
      points.reach(kind, failure);
      return call(...args);
    };
  Object.assign(fs, {
    stat: faulty('stat', real.stat),
    realpath: faulty('realpath', real.realpath),
    open: faulty('open', async (...args) => {
      const handle = await real.open(...args);
      const close = handle.close.bind(handle);
      handle.stat = faulty('file stat', handle.stat.bind(handle));
      handle.read = faulty('read', handle.read.bind(handle));
      handle.close = async () => {
        // As in POSIX, a file is closed even if closing fails.
        await close();
        points.reach('close', failure);
      };
      return handle;
    }),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  };
}

/** A backend whose loads, runs and disposals are places, and which counts the sessions that are not freed. */
export function faultyBackend(backend, points) {
  const live = new Set();
  const failure = (kind) => () => new BackendError(`An injected failure: ${kind}.`);
  return {
    live,
    provider: backend.provider,
    get features() {
      return backend.features;
    },
    ...(backend.ready && { ready: () => backend.ready() }),
    async load(model, options) {
      points.reach('load', failure('load'));
      const session = await backend.load(model, options);
      live.add(session);
      return {
        inputs: session.inputs,
        outputs: session.outputs,
        async run(feeds, runOptions) {
          points.reach('run', failure('run'));
          return session.run(feeds, runOptions);
        },
        async dispose() {
          live.delete(session);
          await session.dispose();
          points.reach('dispose', failure('dispose'));
        },
      };
    },
    async dispose() {
      live.clear();
      await backend.dispose();
    },
  };
}
