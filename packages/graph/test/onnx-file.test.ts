import { createNodeBackend } from '@sd/backend-node';
import { CheckpointError, SdError, SourceError, tensor, UnsupportedError } from '@sd/core';
import { toFloat32, toHalf } from '@sd/weights';
import { onnxSession, openOnnxFile } from '@sd/weights/onnx-file';
import { afterAll, describe, expect, test } from 'vitest';
import { castTensor } from '../../weights/src/onnx-file/cast.js';
import { encodedField, joined } from '../../weights/src/onnx-file/wire.js';
import { memorySource } from '../../weights/test/memory.js';
import { Graph } from '../src/index.js';

const backend = createNodeBackend({ threads: 1 });
afterAll(() => backend.dispose());

const size = 2048;
const weights = Float32Array.from({ length: size }, (_, i) => i / 8);
const bytes = new Uint8Array(weights.buffer);

const message = (...fields: [number, Uint8Array | string | number][]) =>
  joined(fields.map(([number, body]) => encodedField(number, body)));
const entry = (key: string, value: string) => message([1, key], [2, value]);

/** A tensor w of `size` floats, inside the file or outside. */
const inside = message([1, size], [2, 1], [8, 'w'], [9, bytes]);
const outside = (location: string, offset = 0) =>
  message(
    [1, size],
    [2, 1],
    [8, 'w'],
    [13, entry('location', location)],
    [13, entry('offset', String(offset))],
    [13, entry('length', String(bytes.length))],
    [14, 1],
  );

const value = (name: string, type: number, ...dims: (number | string)[]) => {
  const shape = joined(
    dims.map((dim) => encodedField(1, typeof dim === 'number' ? message([1, dim]) : message([2, dim]))),
  );
  return message([1, name], [2, message([1, message([1, type], [2, shape])])]);
};
const node = (op: string, inputs: readonly string[], output: string, domain = '') =>
  message(...inputs.map((name): [number, string] => [1, name]), [2, output], [4, op], [7, domain]);

/** y = x + w, plus any further fields of the graph. */
const model = (weight: Uint8Array, ...more: [number, Uint8Array][]) =>
  message(
    [1, 8],
    [2, 'pytorch'],
    [3, '2.4.1'],
    [
      7,
      message(
        [1, node('Add', ['x', 'w'], 'y')],
        [5, weight],
        [11, value('x', 1, 'batch', size)],
        [12, value('y', 1, 'batch', size)],
        ...more,
      ),
    ],
    [8, message([1, ''], [2, 14])],
  );

const ones = tensor('float32', [1, size], new Float32Array(size).fill(1));
const sums = weights.map((weight) => weight + 1);

describe('an ONNX file', () => {
  test('lists its inputs, outputs, operators, weights and producer', async () => {
    const file = await openOnnxFile(memorySource({ 'a/model.onnx': model(inside) }), 'a/model.onnx');
    expect(file).toMatchObject({
      producer: 'pytorch 2.4.1',
      opset: 14,
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', size] }],
      outputs: [{ name: 'y', type: 'float32', dims: ['batch', size] }],
    });
    expect([...file.operators]).toEqual(['Add']);
    expect([...file.weightBytes]).toEqual([['float32', bytes.length]]);
  });

  test('keeps its weights, and the graph points to them', async () => {
    const source = memorySource({ 'a/model.onnx': model(inside) });
    const file = await openOnnxFile(source, 'a/model.onnx');
    const { graph, weights: files } = file.model('it');
    expect(files.map(({ location }) => location)).toEqual(['a/model.onnx']);
    expect(graph.length).toBeLessThan(400);
    const session = onnxSession(backend, file, 'it');
    expect((await session.run(1, { x: ones })).y.data).toEqual(sums);
    await session.dispose();
  });

  test.each(['weights.pb', './model.onnx_data', 'loose/onnx__Add_12', 'a file, with spaces'])(
    'has external weights in %s',
    async (location) => {
      const path = `a/${location.replace('./', '')}`;
      const padded = joined([new Uint8Array(7), bytes]);
      const source = memorySource({ 'a/model.onnx': model(outside(location, 7)), [path]: padded });
      const file = await openOnnxFile(source, 'a/model.onnx');
      expect(file.model('it').weights.map(({ location }) => location)).toEqual([path]);
      const session = onnxSession(backend, file, 'it');
      expect((await session.run(1, { x: ones })).y.data).toEqual(sums);
      await session.dispose();
    },
  );

  test('is read without its weights, in a few reads', async () => {
    const bytesOfAll = model(message([1, 2 ** 20], [2, 1], [8, 'w'], [9, new Uint8Array(2 ** 22)]));
    const ranges: number[] = [];
    const source = memorySource({ 'model.onnx': bytesOfAll });
    await openOnnxFile(
      {
        ...source,
        read: async (path, range) => {
          ranges.push(range!.end - range!.start);
          return source.read(path, range);
        },
      },
      'model.onnx',
    );
    expect(Math.max(...ranges)).toBeLessThanOrEqual(2 ** 16);
    expect(ranges.length).toBeLessThan(6);
  });

  test('does not count initializers as inputs, which old exporters list there', async () => {
    const source = memorySource({ 'model.onnx': model(inside, [11, value('w', 1, size)]) });
    const { inputs } = await openOnnxFile(source, 'model.onnx');
    expect(inputs.map(({ name }) => name)).toEqual(['x']);
  });

  test('can take the noise that it would draw itself as an input', async () => {
    const graph = message(
      [1, node('RandomNormalLike', ['x'], 'noise')],
      [1, node('Add', ['x', 'noise'], 'y')],
      [11, value('x', 1, 'n', 2)],
      [12, value('y', 1, 'n', 2)],
    );
    const source = memorySource({ 'model.onnx': message([1, 8], [7, graph], [8, message([2, 14])]) });
    const file = await openOnnxFile(source, 'model.onnx', { noiseInputs: true });
    expect(file.noises).toEqual([{ name: 'noise', type: 'float32', dims: [] }]);
    const session = onnxSession(backend, file, 'it');
    const [x, noise] = [
      tensor('float32', [1, 2], Float32Array.of(1, 2)),
      tensor('float32', [1, 1], Float32Array.of(0.5)),
    ];
    expect((await session.run(1, { x, noise })).y.data).toEqual(Float32Array.of(1.5, 2.5));
    await session.dispose();
    expect((await openOnnxFile(source, 'model.onnx')).noises).toEqual([]);
  });
});

describe('a broken or hostile ONNX file', () => {
  test('truncated at any length is a CheckpointError', async () => {
    const whole = model(message([1, 4], [2, 1], [8, 'w'], [9, bytes.subarray(0, 16)]));
    for (let length = 1; length < whole.length; length++) {
      const source = memorySource({ 'model.onnx': whole.subarray(0, length) });
      // Cut between two of its outermost fields, a file is valid again.
      const opened = await openOnnxFile(source, 'model.onnx').catch((error: unknown) => error);
      if (!(opened instanceof CheckpointError)) expect(opened).toMatchObject({ outputs: [{ name: 'y' }] });
    }
  });

  test('with random bytes fails in no other way', async () => {
    let state = 1;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const whole = model(message([1, 4], [2, 1], [8, 'w'], [9, bytes.subarray(0, 16)]));
    for (let i = 0; i < 500; i++) {
      const changed = whole.slice();
      for (let k = 0; k < 3; k++) changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      const opened = await openOnnxFile(memorySource({ 'model.onnx': changed }), 'model.onnx').catch(
        (error: unknown) => error,
      );
      if (opened instanceof Error) expect(SdError.isInstance(opened)).toBe(true);
    }
  });

  test.each(['../secret', '/etc/passwd', 'C:\\secret', 'a/../../secret', ''])(
    'rejects weights in %j',
    async (location) => {
      const source = memorySource({ 'a/model.onnx': model(outside(location)) });
      await expect(openOnnxFile(source, 'a/model.onnx')).rejects.toThrow("which is not in the model's folder");
    },
  );

  test('names missing weights, and a missing model', async () => {
    const source = memorySource({ 'a/model.onnx': model(outside('weights.pb')) });
    const missing = openOnnxFile(source, 'a/model.onnx');
    await expect(missing).rejects.toThrow(SourceError);
    await expect(missing).rejects.toThrow('a/weights.pb does not exist, but a/model.onnx keeps its weights in it');
    await expect(openOnnxFile(source, 'b.onnx')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('rejects graphs that are nested too deep', async () => {
    let graph = message([1, node('Add', ['x', 'x'], 'y')]);
    for (let i = 0; i < 1000; i++)
      graph = message([1, message([4, 'If'], [5, message([1, 'then_branch'], [6, graph])])]);
    const source = memorySource({ 'model.onnx': message([7, graph]) });
    await expect(openOnnxFile(source, 'model.onnx')).rejects.toThrow(CheckpointError);
  });
});

describe('running it', () => {
  test('names operators that the provider lacks, and the providers that have them', async () => {
    const g = new Graph();
    const x = g.input('x', ['n', 4]);
    g.output('y', g.op('GroupNorm', [g.op('BiasAdd', [x], x.dims, {}, 'com.microsoft')], x.dims, {}, 'com.microsoft'));
    const { graph } = g.finish('fused', { repeated: false });
    const file = await openOnnxFile(memorySource({ 'unet/model.onnx': graph }), 'unet/model.onnx');
    const open = () => onnxSession(backend, file, 'unet');
    expect(open).toThrow(UnsupportedError);
    expect(open).toThrow(
      "unet/model.onnx was optimized for other hardware: it uses com.microsoft.BiasAdd, com.microsoft.GroupNorm, which ONNX Runtime's provider cpu lacks.",
    );
    expect(open).toThrow('Run it on dml or cuda');
  });

  test('a fixed batch of one gets a row at a time; a fixed batch of two is filled up with the last row', async () => {
    for (const count of [1, 2]) {
      const graph = message(
        [1, node('Add', ['x', 'x'], 'y')],
        [11, value('x', 1, count, 2)],
        [12, value('y', 1, count, 2)],
      );
      const source = memorySource({ 'model.onnx': message([1, 8], [7, graph], [8, message([2, 14])]) });
      const session = onnxSession(backend, await openOnnxFile(source, 'model.onnx'), 'it');
      const x = tensor('float32', [3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
      expect((await session.run(3, { x })).y).toEqual(tensor('float32', [3, 2], Float32Array.of(2, 4, 6, 8, 10, 12)));
      const wide = tensor('float32', [1, 3], Float32Array.of(1, 2, 3));
      await expect(session.run(1, { x: wide })).rejects.toThrow('it was exported for that size only');
      await session.dispose();
    }
  });
});

describe('types', () => {
  test('half precision: every value survives, others round to nearest, ties to even', () => {
    const all = Uint16Array.from({ length: 0x7c01 }, (_, i) => i);
    const floats = toFloat32('F16', new Uint8Array(all.buffer));
    expect(toHalf(floats)).toEqual(all);
    expect(toHalf(floats.map((value) => -value))).toEqual(all.map((bits) => bits | 0x8000));
    const middles = Float32Array.from({ length: 0x7bff }, (_, i) => (floats[i] + floats[i + 1]) / 2);
    expect(toHalf(middles)).toEqual(all.slice(0, 0x7bff).map((bits) => bits + (bits & 1)));
    expect([...toHalf(Float32Array.of(65519, 65520, Number.NaN, 1e-8, -1e30))]).toEqual([
      0x7bff, 0x7c00, 0x7e00, 0, 0xfc00,
    ]);
  });

  test('floats are truncated to integers', () => {
    const x = tensor('float32', [2], Float32Array.of(499.9, -1.5));
    expect(castTensor(x, 'int64').data).toEqual(BigInt64Array.of(499n, -1n));
    expect(castTensor(x, 'int32').data).toEqual(Int32Array.of(499, -1));
    expect(castTensor(castTensor(x, 'float64'), 'float32')).toEqual(x);
  });
});
