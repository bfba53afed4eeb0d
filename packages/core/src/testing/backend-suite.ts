import type { Backend, Model, Session, WeightFile } from '../backend.js';
import { type ConformanceCase, conforms, rejection } from '../conformance.js';
import { SdError } from '../errors.js';
import { type Tensor, type TensorData, type TensorType, tensor } from '../tensor.js';
import { backendGraphs } from './backend-graphs.js';

/**
 * The cases that every Backend must pass, on graphs of a few bytes. `create` makes a backend for each case, which disposes
 * it. Runs wherever the backend does, including browsers.
 */
export function backendSuite(create: () => Promise<Backend>): ConformanceCase[] {
  const on = (name: string, body: (backend: Backend) => Promise<void>): ConformanceCase => ({
    name,
    async run() {
      const backend = await create();
      try {
        await body(backend);
      } finally {
        await backend.dispose();
      }
    },
  });

  return [
    on('a session lists its inputs and outputs', async (backend) => {
      const { inputs, outputs } = await backend.load(model('add'));
      const summary = (infos: Session['inputs']) =>
        infos.map(({ name, type, dims }) => `${name} ${type} ${dims}`).join('; ');
      same('inputs', summary(inputs), 'a float32 n,2; b float32 2');
      same('outputs', summary(outputs), 'y float32 n,2');
    }),

    on('a dynamic dimension may change from run to run', async (backend) => {
      const session = await backend.load(model('add'));
      for (const n of [1, 3, 2]) {
        const values = Array.from({ length: 2 * n }, (_, i) => i);
        const { y } = await session.run({ a: floats([n, 2], values), b: floats([2], [10, 20]) });
        equal(
          'y',
          y,
          'float32',
          [n, 2],
          values.map((value, i) => value + [10, 20][i % 2]),
        );
      }
    }),

    on('every tensor type goes in and comes out', async (backend) => {
      const session = await backend.load(model('twice'));
      const outputs = await session.run({
        float32: floats([3], [0.1, Number.POSITIVE_INFINITY, -2]),
        float16: tensor('float16', [3], Uint16Array.of(0x3c00, 0xc000, 0x0001)),
        int32: tensor('int32', [3], Int32Array.of(1, -2, 2 ** 30 - 1)),
        int64: tensor('int64', [3], BigInt64Array.of(1n, -2n, 2n ** 53n + 1n)),
      });
      equal('float32_twice', outputs.float32_twice, 'float32', [3], [Math.fround(0.2), Number.POSITIVE_INFINITY, -4]);
      equal('float16_same', outputs.float16_same, 'float16', [3], [0x3c00, 0xc000, 0x0001]);
      equal('int32_twice', outputs.int32_twice, 'int32', [3], [2, -4, 2 ** 31 - 2]);
      equal('int64_twice', outputs.int64_twice, 'int64', [3], [2n, -4n, 2n ** 54n + 2n]);
    }),

    on('only the requested outputs are returned', async (backend) => {
      const session = await backend.load(model('twice'));
      const feeds = {
        float32: floats([1], [3]),
        float16: tensor('float16', [1], Uint16Array.of(0x3c00)),
        int32: tensor('int32', [1], Int32Array.of(1)),
        int64: tensor('int64', [1], BigInt64Array.of(1n)),
      };
      const outputs = await session.run(feeds, { outputs: ['float32_twice'] });
      same('the outputs', Object.keys(outputs).join(), 'float32_twice');
      equal('float32_twice', outputs.float32_twice, 'float32', [1], [6]);
      const error = await rejection('An unknown output', () => session.run(feeds, { outputs: ['nothing'] }));
      conforms(
        SdError.isInstance(error) && error.code === 'bad-tensor',
        `An unknown output must be a TensorError, not ${error}.`,
      );
    }),

    on('a scalar has no dimensions', async (backend) => {
      const session = await backend.load(model('sum'));
      const { y } = await session.run({ x: floats([3], [1, 2, 4]) });
      equal('y', y, 'float32', [], [7]);
    }),

    on('inputs stay unchanged, even views', async (backend) => {
      const session = await backend.load(model('add'));
      const array = Float32Array.of(9, 1, 2, 9);
      const a = tensor('float32', [1, 2], array.subarray(1, 3));
      const b = floats([2], [10, 20]);
      const run = session.run({ a, b });
      // The run must not see what the caller does to its arrays after the call.
      array[1] = 100;
      equal('y', (await run).y, 'float32', [1, 2], [11, 22]);
      same("the caller's array", [...array].join(), '9,100,2,9');
      equal('b', b, 'float32', [2], [10, 20]);
      equal('y of a second run', (await session.run({ a, b })).y, 'float32', [1, 2], [110, 22]);
    }),

    on('concurrent runs do not mix up their results', async (backend) => {
      const [add, sum] = await Promise.all([backend.load(model('add')), backend.load(model('sum'))]);
      const b = floats([2], [0, 0]);
      const runs = [1, 2, 3, 4].map(async (n) => {
        const [first, second] = await Promise.all([
          add.run({ a: floats([1, 2], [n, -n]), b }),
          sum.run({ x: floats([2], [n, n]) }),
        ]);
        return { n, first, second };
      });
      for (const { n, first, second } of await Promise.all(runs)) {
        equal(`y of run ${n}`, first.y, 'float32', [1, 2], [n, -n]);
        equal(`y of the other session's run ${n}`, second.y, 'float32', [], [2 * n]);
      }
    }),

    on('feeds that do not fit are rejected by name', async (backend) => {
      const session = await backend.load(model('add'));
      const a = floats([1, 2], [1, 2]);
      const b = floats([2], [10, 20]);
      const wrong: [string, string, Record<string, Tensor>][] = [
        ['a missing input', 'b', { a }],
        ['an unknown input', 'other', { a, b, other: b }],
        ['the wrong type', 'b', { a, b: tensor('int32', [2]) }],
        ['the wrong rank', 'a', { a: b, b }],
        ['the wrong size', 'b', { a, b: floats([3], [1, 2, 3]) }],
        ['data that does not fill the shape', 'a', { a: { ...a, dims: [2, 2] }, b }],
        ['an array of another type', 'a', { a: { ...a, data: new Float64Array(2) as unknown as Float32Array }, b }],
      ];
      for (const [what, name, feeds] of wrong) {
        const error = await rejects(what, 'bad-tensor', () => session.run(feeds));
        conforms(error.message.includes(`'${name}'`), `The error for ${what} must name '${name}': ${error.message}`);
      }
      equal('y afterwards', (await session.run({ a, b })).y, 'float32', [1, 2], [11, 22]);
    }),

    on('a broken graph is rejected with the name of the model', async (backend) => {
      const valid = model('add').graph;
      const broken = {
        random: Uint8Array.of(1, 2, 3),
        empty: new Uint8Array(0),
        truncated: valid.slice(0, valid.length / 2),
      };
      for (const [name, graph] of Object.entries(broken)) {
        const error = await rejects(`A graph that is ${name}`, 'backend', () =>
          backend.load({ name, graph, weights: [] }),
        );
        conforms(error.message.includes(name), `The error must name the model '${name}': ${error.message}`);
      }
      await rejects('An unknown operator', 'backend', () => backend.load(model('unknownOperator')));
      await backend.load(model('add'));
    }),

    on('weights come from files in memory', async (backend) => {
      const files = weightFiles();
      const session = await backend.load(model('weighted', files));
      for (const { bytes, location } of files)
        conforms(bytes.length > 0, `The bytes of ${location} belong to the caller.`);
      equal('y', (await session.run({ x: floats([2], [1, 2]) })).y, 'float32', [2], [111, 222]);
    }),

    on('missing, short or unreadable weights are errors', async (backend) => {
      const [first, second] = weightFiles();
      const short = { ...first, read: async () => first.bytes.slice(0, 75) };
      await rejects('A missing file', 'backend', () => backend.load(model('weighted', [first])));
      await rejects('A short file', 'backend', () => backend.load(model('weighted', [short, second])));
      const cause = new SdError('read-failed', 'The disk is gone.');
      const unreadable = { ...first, read: () => Promise.reject(cause) };
      const error = await rejection('Loading', () => backend.load(model('weighted', [unreadable, second])));
      conforms(error === cause, `The load must reject with read()'s own error, not ${error}`);
    }),

    on('an aborted load rejects with an AbortError', async (backend) => {
      const before = { signal: AbortSignal.abort() };
      await rejects('A load aborted before the call', 'aborted', () => backend.load(model('add'), before));
      const reading = new AbortController();
      const [first, second] = weightFiles();
      const slow = {
        ...first,
        read: () =>
          new Promise<Uint8Array>((resolve) => {
            setTimeout(() => reading.abort(), 0);
            setTimeout(() => resolve(first.bytes), 200);
          }),
      };
      await rejects('A load aborted while it reads', 'aborted', () =>
        backend.load(model('weighted', [slow, second]), { signal: reading.signal }),
      );
      const loading = new AbortController();
      const load = backend.load(model('add'), { signal: loading.signal });
      loading.abort();
      await rejects('A load aborted during', 'aborted', () => load);
      await backend.load(model('add'));
    }),

    on('an aborted run rejects with an AbortError, and the session stays usable', async (backend) => {
      const session = await backend.load(model('sum'));
      const x = floats([2], [1, 2]);
      await rejects('A run aborted before the call', 'aborted', () =>
        session.run({ x }, { signal: AbortSignal.abort() }),
      );
      const controller = new AbortController();
      const runs = [session.run({ x }, controller), session.run({ x }, controller), session.run({ x })] as const;
      // Attached before anything can fail, so that no rejection is unhandled.
      const all = Promise.allSettled(runs);
      const reason = new Error('enough');
      controller.abort(reason);
      await all;
      for (const run of runs.slice(0, 2)) {
        const error = await rejects('A run aborted during', 'aborted', () => run);
        same('The cause of the AbortError', error.cause, reason);
      }
      equal('y of the concurrent run', (await runs[2]).y, 'float32', [], [3]);
      const { y } = await session.run({ x }, new AbortController());
      equal('y of the next run', y, 'float32', [], [3]);
    }),

    on('a disposed session rejects runs, and others stay usable', async (backend) => {
      const [disposed, other] = [await backend.load(model('sum')), await backend.load(model('sum'))];
      const x = floats([2], [1, 2]);
      await disposed.dispose();
      await disposed.dispose();
      await rejects('A run', 'disposed', () => disposed.run({ x }));
      equal('y', (await other.run({ x })).y, 'float32', [], [3]);
    }),

    on('a disposed backend rejects everything', async (backend) => {
      const session = await backend.load(model('sum'));
      const x = floats([2], [1, 2]);
      await Promise.all([backend.dispose(), backend.dispose()]);
      await rejects('A run', 'disposed', () => session.run({ x }));
      await rejects('A load', 'disposed', () => backend.load(model('sum')));
      await session.dispose();
    }),
  ];
}

function model(name: keyof typeof backendGraphs, weights: readonly WeightFile[] = []): Model {
  return { name, graph: Uint8Array.from(atob(backendGraphs[name]), (char) => char.charCodeAt(0)), weights };
}

/** The files of the graph `weighted`: v = [10, 20], unaligned, and w = [100, 200]. */
function weightFiles() {
  const file = (location: string, offset: number, values: number[]) => {
    const bytes = new Uint8Array(offset + 4 * values.length);
    values.forEach((value, i) => {
      new DataView(bytes.buffer).setFloat32(offset + 4 * i, value, true);
    });
    return { location, bytes, read: async () => bytes };
  };
  return [file('first.bin', 73, [10, 20]), file('second/file.bin', 0, [100, 200])] as const;
}

const floats = (dims: number[], values: number[]) => tensor('float32', dims, Float32Array.from(values));

function same(what: string, value: unknown, expected: unknown): void {
  conforms(value === expected, `${what} must be ${expected}, not ${value}`);
}

function equal<T extends TensorType>(
  what: string,
  value: Tensor | undefined,
  type: T,
  dims: readonly number[],
  data: TensorData[T] extends BigInt64Array ? readonly bigint[] : readonly number[],
): void {
  conforms(value !== undefined, `${what} is missing.`);
  same(`The array of ${what}`, value.data.constructor.name, tensor(type, [0]).data.constructor.name);
  same(`Type and shape of ${what}`, `${value.type} [${value.dims}]`, `${type} [${dims}]`);
  same(what, value.data.join(), data.join());
}

async function rejects(what: string, code: string, run: () => Promise<unknown>): Promise<SdError> {
  const error = await rejection(what, run);
  conforms(
    SdError.isInstance(error) && error.code === code,
    `${what} must reject with the code '${code}', not ${error}`,
  );
  return error;
}
