import { CheckpointError, SdError, type Source, UnsupportedError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { openOnnxFile } from '../src/onnx-file/open.js';
import { encodedField, joined } from '../src/onnx-file/wire.js';
import { memorySource } from './memory.js';

type Part = readonly [number, Uint8Array | string | number];
const message = (...fields: readonly Part[]) => joined(fields.map(([number, body]) => encodedField(number, body)));
const entry = (key: string, value: string) => message([1, key], [2, value]);

/** A tensor of 4 floats whose values are in another file. */
const external = (location: string, more: readonly Part[] = []) =>
  message(
    [1, 4],
    [2, 1],
    [8, 'w'],
    [13, entry('location', location)],
    [13, entry('offset', '0')],
    [13, entry('length', '16')],
    [14, 1],
    ...more,
  );
const node = (operator: string, inputs: readonly string[], output: string, ...more: readonly Part[]) =>
  message(...inputs.map((name): Part => [1, name]), [2, output], [4, operator], ...more);
const add = node('Add', ['x', 'w'], 'y');
const model = (graph: readonly Part[], ...more: readonly Part[]) =>
  message([1, 8], [7, message(...graph)], [8, message([2, 17])], ...more);
const attribute = (name: string, value: number) => message([1, name], [3, value], [20, 2]);
const integers = (name: string, ...values: number[]) => message([1, name], ...values.map((v): Part => [8, v]), [20, 7]);
const integerTensor = (name: string, value: bigint) =>
  message([1, 1], [2, 7], [8, name], [9, new Uint8Array(BigInt64Array.of(value).buffer)]);
const fn = (name: string, ...nodes: Uint8Array[]) =>
  message([1, name], [4, 'a'], [5, 'b'], ...nodes.map((n): Part => [7, n]), [10, 'f']);

const open = (bytes: Uint8Array) =>
  openOnnxFile(memorySource({ 'm/model.onnx': bytes, 'm/w.bin': new Uint8Array(16) }), 'm/model.onnx');

describe('external data is looked for wherever a tensor may stand', () => {
  const sparse = message([1, external('../secret')], [3, 4]);
  const places: Record<string, Uint8Array> = {
    'an initializer': model([[5, external('../secret')]]),
    'an attribute': model([[1, node('Constant', [], 'w', [5, message([1, 'value'], [5, external('../secret')])])]]),
    'a list of an attribute': model([
      [1, node('Constant', [], 'w', [5, message([1, 'v'], [10, external('../secret')])])],
    ]),
    'a branch': model([
      [1, node('If', ['c'], 'y', [5, message([1, 'then_branch'], [6, message([5, external('../secret')])])])],
    ]),
    'a function': model(
      [],
      [25, fn('F', node('Constant', [], 'b', [5, message([1, 'value'], [5, external('../secret')])]))],
    ),
    'a default of a function': model([], [25, message([1, 'F'], [11, message([1, 'v'], [5, external('../secret')])])]),
    'an initializer with inline values too': model([[5, external('../secret', [[9, new Uint8Array(16)]])]]),
  };
  test.each(Object.keys(places))('%s', async (place) => {
    await expect(open(places[place])).rejects.toThrow(CheckpointError);
  });

  test.each([
    ['a sparse initializer', model([[15, sparse]])],
    ['a sparse attribute', model([[1, node('Constant', [], 'w', [5, message([1, 'sparse_value'], [22, sparse])])]])],
    ['sparse attributes', model([[1, node('Constant', [], 'w', [5, message([1, 'v'], [23, sparse])])]])],
    ['training information', model([], [20, message([1, message([5, external('../secret')])])])],
    ['a segment', model([[5, message([1, 4], [2, 1], [3, message([1, 0])])]])],
    ['a field of a later version', model([[77, external('../secret')]])],
  ])('%s is refused', async (_, bytes) => {
    await expect(open(bytes)).rejects.toThrow(UnsupportedError);
    await expect(open(bytes)).rejects.toThrow(/^m\/model\.onnx has /);
  });

  test.each(['*/_ORT_MEM_ADDR_/*', 'w.bin\0', '\0', '/w.bin', 'a/..', '..\\w.bin', 'c:w.bin', '.', ''])(
    'no location is %j',
    async (location) => {
      await expect(open(model([[5, external(location)]]))).rejects.toThrow("which is not in the model's folder");
    },
  );

  test('values must be in the file, as many as the shape has, and be said once', async () => {
    const place = (key: string, value: string): Part => [13, entry(key, value)];
    const tensor = (...more: Part[]) =>
      model([
        [1, add],
        [5, message([1, 4], [2, 1], [8, 'w'], ...more, [14, 1])],
      ]);
    const here = place('location', 'w.bin');
    await expect(open(tensor(here))).resolves.toBeDefined();
    for (const bad of [
      [here, place('offset', '4')],
      [here, place('offset', '-4')],
      [here, place('offset', '9223372036854775800')],
      [here, place('offset', '1e1')],
      [here, place('length', '12')],
      [here, here],
      [place('offset', '0')],
    ]) {
      await expect(open(tensor(...bad))).rejects.toThrow(CheckpointError);
    }
  });
});

describe('links', () => {
  /** A folder on disk: real paths by name. */
  const onDisk = (paths: Record<string, string>): Source => ({
    ...memorySource({
      'm/model.onnx': model([
        [1, add],
        [5, external('w.bin')],
      ]),
      'm/w.bin': new Uint8Array(16),
    }),
    realPath: async (path) => paths[path],
  });
  const openOnDisk = (model: string, data: string) =>
    openOnnxFile(onDisk({ 'm/model.onnx': model, 'm/w.bin': data }), 'm/model.onnx');

  test.each([
    ['/home/me/m/model.onnx', '/home/me/secret'],
    ['/home/me/m/model.onnx', '/home/me/m2/w.bin'],
    ['C:\\m\\model.onnx', 'C:\\secret'],
    ['/c/models--a--b/snapshots/1/model.onnx', '/c/models--a--c/blobs/9'],
    ['/c/models--a--b/snapshots/1/model.onnx', '/c/models--a--b/secret'],
  ])('from %s to %s are refused', async (model, data) => {
    await expect(openOnDisk(model, data)).rejects.toThrow(/is a link to .* outside of the model's folder/);
  });

  test.each([
    ['/home/me/m/model.onnx', '/home/me/m/w.bin', ['w.bin']],
    ['/home/me/m/model.onnx', '/home/me/m/data/w.bin', ['w.bin']],
    ['C:\\m\\model.onnx', 'C:\\m\\w.bin', ['w.bin']],
    ['/c/models--a--b/blobs/1', '/c/models--a--b/blobs/2', ['2']],
    ['/c/models--a--b/snapshots/1/model.onnx', '/c/models--a--b/blobs/2', ['2']],
  ])('from %s to %s are followed', async (model, data, locations) => {
    const { weights } = (await openOnDisk(model, data)).model('m');
    expect(weights.map(({ location }) => location)).toEqual(locations);
  });

  test('locations begin at the deepest folder that has all files', async () => {
    const big = message([1, 1024], [2, 1], [8, 'v'], [9, new Uint8Array(4096)]);
    const source: Source = {
      ...memorySource({
        'm/model.onnx': model([
          [1, add],
          [5, big],
          [5, external('sub/w.bin')],
        ]),
        'm/sub/w.bin': new Uint8Array(16),
      }),
      realPath: async (path) => `/home/me/${path}`,
    };
    const { weights, graph } = (await openOnnxFile(source, 'm/model.onnx')).model('m');
    expect(weights).toMatchObject([
      { location: 'model.onnx', path: '/home/me/m/model.onnx' },
      { location: 'sub/w.bin', path: '/home/me/m/sub/w.bin' },
    ]);
    expect(new TextDecoder().decode(graph)).not.toContain('home/me');
  });
});

describe('graphs that end or stop the process', () => {
  const calls = (name: string, times: number) => Array.from({ length: times }, () => node(name, ['a'], 'b', [7, 'f']));
  const doubling = Array.from({ length: 12 }, (_, i): Part => [25, fn(`F${i + 1}`, ...calls(`F${i}`, 3))]);
  const chain = Array.from({ length: 40 }, (_, i): Part => [25, fn(`F${i + 1}`, ...calls(`F${i}`, 1))]);
  const base: Part = [25, fn('F0', node('Identity', ['a'], 'b'))];

  test.each([
    ['a loop', model([[1, node('Loop', ['n', 'c', 'x'], 'y')]])],
    ['an operator of a domain of its own', model([[1, node('Add', ['x', 'x'], 'y', [7, 'evil'])]])],
    ['an operator inside a function', model([], [25, fn('F', node('Scan', ['a'], 'b'))])],
    [
      'an operator inside a branch',
      model([[1, node('If', [], 'y', [5, message([6, message([1, node('StringSplit', [], '')])])])]]),
    ],
  ])('%s is refused by name', async (_, bytes) => {
    await expect(open(bytes)).rejects.toThrow(UnsupportedError);
    await expect(open(bytes)).rejects.toThrow(
      /uses "(Loop|evil\.Add|Scan|StringSplit)", which no supported model needs/,
    );
  });

  test.each([
    ['a function that calls itself', [[25, fn('F0', ...calls('F0', 1))]], 'calls itself'],
    [
      'functions that call each other',
      [
        [25, fn('F0', ...calls('F1', 1))],
        [25, fn('F1', ...calls('F0', 1))],
      ],
      'calls itself',
    ],
    ['functions that triple', [base, ...doubling], '531441 nodes'],
    ['a chain of functions', [base, ...chain], 'nested more than 16 deep'],
    ['a chain of functions, backwards', [...chain.toReversed(), base], 'nested more than 16 deep'],
  ] as [string, Part[], string][])('%s', async (_, functions, problem) => {
    const top = problem.includes('nodes') ? 'F12' : 'F0';
    await expect(open(model([[1, node(top, ['x'], 'y', [7, 'f'])]], ...functions))).rejects.toThrow(problem);
  });

  test('a function that a model brings is no unknown operator', async () => {
    const { operators } = await open(model([[1, node('F0', ['x'], 'y', [7, 'f'])]], base));
    expect([...operators]).toEqual(['Identity']);
  });

  test.each([
    ['Min without the name of an input', node('Min', ['x', ''], 'y')],
    ['DepthToSpace by 0', node('DepthToSpace', ['x'], 'y', [5, attribute('blocksize', 0)])],
    ['SpaceToDepth by -1', node('SpaceToDepth', ['x'], 'y', [5, attribute('blocksize', -1)])],
    ['Split into no parts', node('Split', ['x'], 'y', [5, attribute('num_outputs', 0)])],
    ['Split at 2^40', node('Split', ['x'], 'y', [5, integers('split', 2 ** 40)])],
    ['Conv of strides 0', node('Conv', ['x', 'w'], 'y', [5, integers('strides', 0, 1)])],
    [
      'attention of no heads',
      node('MultiHeadAttention', ['x'], 'y', [7, 'com.microsoft'], [5, attribute('num_heads', 0)]),
    ],
    ['packed integers', node('Conv', ['x', 'w'], 'y', [5, message([1, 'strides'], [8, Uint8Array.of(1, 0)])])],
  ])('%s', async (_, bytes) => {
    await expect(open(model([[1, bytes]]))).rejects.toThrow(/its node "y" \(.*\) has /);
  });

  test('a division of integers by -1', async () => {
    const divide = node('Div', ['x', 'z'], 'y');
    await expect(
      open(
        model([
          [1, divide],
          [5, integerTensor('z', -1n)],
        ]),
      ),
    ).rejects.toThrow('divides integers by');
    const constant = node('Constant', [], 'z', [5, message([1, 'value'], [5, integerTensor('', -1n)])]);
    await expect(
      open(
        model([
          [1, constant],
          [1, divide],
        ]),
      ),
    ).rejects.toThrow('divides integers by');
    await expect(
      open(
        model([
          [1, divide],
          [5, integerTensor('z', 2n)],
        ]),
      ),
    ).resolves.toBeDefined();
  });

  test.each([
    ['more bytes than its shape', message([1, 2], [2, 1], [9, new Uint8Array(12)])],
    ['a negative size', message([1, -2], [2, 1])],
    ['2^64 values', message([1, 2 ** 32], [1, 2 ** 32], [2, 1])],
  ])('a tensor of %s', async (_, tensor) => {
    await expect(open(model([[5, tensor]]))).rejects.toThrow(CheckpointError);
  });

  test('two graphs, and bytes in the format of ONNX Runtime', async () => {
    await expect(open(model([], [7, message([5, external('w.bin')])]))).rejects.toThrow('two graphs');
    await expect(open(message([2, 'abORTM'], [7, message()]))).rejects.toThrow(SdError);
  });
});
