import { CheckpointError, SourceError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../src/index.js';
import { fileOf, floats, memorySource, rawFile } from './memory.js';

/** The message that a file of these bytes is rejected with, the same whether or not the source knows sizes. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const messages = [];
  for (const sizes of [true, false]) {
    const source = memorySource({ 'x.safetensors': bytes }, { sizes });
    const error = await openSafetensors(source, 'x.safetensors').then(
      () => expect.unreachable('it should not open'),
      (error: unknown) => error as CheckpointError,
    );
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ code: 'bad-checkpoint', file: 'x.safetensors' });
    messages.push(error.message);
  }
  expect(messages[1]).toBe(messages[0]);
  return messages[0];
}

const opened = async (bytes: Uint8Array) => openSafetensors(memorySource({ 'x.safetensors': bytes }), 'x.safetensors');

/** A header with one tensor in 16 bytes of data, with changes to its entry. */
const oneTensor = (change: Record<string, unknown>) =>
  rawFile(JSON.stringify({ a: { dtype: 'F32', shape: [4], data_offsets: [0, 16], ...change } }), { size: 16 });

test('the file that the cases are based on opens', async () => {
  const { tensors } = await opened(oneTensor({}));
  expect([...tensors.keys()]).toEqual(['a']);
  expect(tensors.get('a')).toMatchObject({ dtype: 'F32', shape: [4], length: 16 });
});

describe('the length field', () => {
  test.each([
    ['no bytes', new Uint8Array(0), /is 0 bytes long, too short/],
    ['seven bytes', new Uint8Array(7), /is 7 bytes long, too short/],
    ['more than the file', rawFile('{}', { length: 3n }), /claims a header of 3 bytes in a file of 10/],
    ['2^64 - 1', rawFile('{}', { length: 2n ** 64n - 1n }), /claims a header of 18446744073709551615 bytes/],
    ['2^53', rawFile('{}', { length: 2n ** 53n }), /claims a header of 9007199254740992 bytes/],
    ['zero', rawFile('{}', { length: 0n }), /header is not JSON/],
    ['less than the header', rawFile('{"a": 1}', { length: 4n }), /header is not JSON/],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatch(message);
  });

  test('a header over 100 MB is refused before it is read', async () => {
    const size = 2 ** 40;
    const source = {
      size: async () => size,
      async read(_: string, range?: { start: number; end: number }) {
        expect(range).toEqual({ start: 0, end: 8 });
        return new Uint8Array(new BigUint64Array([100_000_001n]).buffer);
      },
    };
    await expect(openSafetensors(source, 'x')).rejects.toThrow(/claims a header of 100000001 bytes/);
  });
});

describe('the header', () => {
  test.each([
    ['a word', 'hello', /is not JSON/],
    ['a number', '12', /is not an object/],
    ['null', 'null', /is not an object/],
    ['an array', '[]', /is not an object/],
    ['deep nesting', '['.repeat(100_000), /is not JSON/],
  ])('that is %s', async (_, header, message) => {
    expect(await refusal(rawFile(header))).toMatch(message);
  });

  test('that is not UTF-8', async () => {
    const bytes = rawFile('{"??": 1}');
    bytes.set([0xff, 0xfe], 10);
    expect(await refusal(bytes)).toMatch(/is not JSON/);
  });

  test.each([
    ['null', null],
    ['a number', 3],
    ['a string', 'F32'],
    ['empty', {}],
  ])('with an entry that is %s', async (_, entry) => {
    expect(await refusal(rawFile(JSON.stringify({ a: entry })))).toMatch(/tensor a has the unknown type undefined/);
  });

  test.each(['F33', 'f32', 'constructor', '__proto__', 'toString', '', 4, null, ['F32']])(
    'with a tensor of type %j',
    async (dtype) => {
      expect(await refusal(oneTensor({ dtype }))).toContain(
        `the tensor a has the unknown type ${JSON.stringify(dtype)}`,
      );
    },
  );

  test.each([[[-4]], [[1.5]], [['4']], [[null]], [[2 ** 53]], [4], [null], ['4'], [{ length: 0 }]])(
    'with the shape %j',
    async (shape) => {
      expect(await refusal(oneTensor({ shape }))).toContain(
        `the tensor a has the invalid shape ${JSON.stringify(shape)}`,
      );
    },
  );

  test.each([
    ['smaller than the range', [3], 'F32 [3], needs 12 bytes, but its offsets span 16'],
    ['larger than the range', [5], 'F32 [5], needs 20 bytes, but its offsets span 16'],
    ['too large for a number', [2 ** 52, 2 ** 52, 2 ** 52], 'but its offsets span 16'],
    ['of infinity times zero', [...new Array(21).fill(2 ** 52), 0], 'but its offsets span 16'],
    ['of 2^64, which overflows to 0 in 64 bits', [2 ** 32, 2 ** 32], 'but its offsets span 16'],
  ])('with a size %s', async (_, shape, message) => {
    expect(await refusal(oneTensor({ shape }))).toContain(message);
  });

  test.each([[[16, 0]], [[0]], [[0, 16, 16]], [[-16, 0]], [[0, 15.5]], [[0, '16']], [[0, 2 ** 53]], ['0,16'], [null]])(
    'with the offsets %j',
    async (offsets) => {
      expect(await refusal(oneTensor({ data_offsets: offsets }))).toContain(
        `the tensor a has the invalid offsets ${JSON.stringify(offsets)}`,
      );
    },
  );

  test('with a range past the end', async () => {
    expect(await refusal(oneTensor({ data_offsets: [4, 20] }))).toMatch(
      /tensor a ends at byte 20 of 16: the file is truncated/,
    );
  });

  const overlapping: [string, [number, number, number][]][] = [
    [
      'partly',
      [
        [2, 0, 8],
        [2, 4, 12],
      ],
    ],
    [
      'wholly',
      [
        [2, 0, 8],
        [2, 0, 8],
      ],
    ],
    [
      'one inside the other',
      [
        [4, 0, 16],
        [1, 8, 12],
      ],
    ],
    [
      'not with their neighbour',
      [
        [4, 0, 16],
        [1, 4, 8],
        [1, 12, 16],
      ],
    ],
  ];
  test.each(overlapping)('with tensors that overlap %s', async (_, ranges) => {
    const entries = ranges.map(([size, start, end], i) => [
      `t${i}`,
      { dtype: 'F32', shape: [size], data_offsets: [start, end] },
    ]);
    for (const order of [entries, entries.toReversed()]) {
      const header = JSON.stringify(Object.fromEntries(order));
      expect(await refusal(rawFile(header, { size: 16 }))).toMatch(/the tensors t\d and t\d overlap/);
    }
  });
});

describe('truncated files', () => {
  test.each([1, 8, 200])('by %i bytes', async (count) => {
    const whole = await fileOf([floats('a', [2], [1, 2]), floats('b', [100], new Array(100).fill(3))]);
    await opened(whole);
    expect(await refusal(whole.subarray(0, whole.length - count))).toMatch(
      /tensor b ends at .*: the file is truncated/,
    );
  });

  test('inside the header', async () => {
    const whole = await fileOf([floats('a', [2], [1, 2])]);
    expect(await refusal(whole.subarray(0, 40))).toMatch(/claims a header of \d+ bytes in a file of 40/);
  });

  test('after they were opened', async () => {
    const whole = await fileOf([floats('a', [2], [1, 2])]);
    const files = { 'x.safetensors': whole };
    const { tensors } = await openSafetensors(memorySource(files), 'x.safetensors');
    files['x.safetensors'] = whole.subarray(0, whole.length - 4);
    await expect(tensors.get('a')!.file.read()).rejects.toThrow(
      `changed from ${whole.length} to ${whole.length - 4} bytes`,
    );
  });

  test('or missing ones', async () => {
    for (const sizes of [true, false]) {
      const missing = openSafetensors(memorySource({}, { sizes }), 'x.safetensors');
      await expect(missing).rejects.toBeInstanceOf(SourceError);
      await expect(missing).rejects.toMatchObject({ code: 'not-found', path: 'x.safetensors' });
    }
  });
});

describe('names', () => {
  const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

  test.each(['__proto__', 'constructor', 'hasOwnProperty', '', 'ключ', '🚗'])(
    '%j is an ordinary name',
    async (name) => {
      const { tensors } = await opened(rawFile(`{${JSON.stringify(name)}:${entry}}`, { size: 4 }));
      expect([...tensors.keys()]).toEqual([name]);
      expect(tensors.get(name)).toMatchObject({ name, dtype: 'F32', shape: [1], length: 4 });
    },
  );

  test('that occur twice: the last one counts, and is checked', async () => {
    const twice = (last: string) => rawFile(`{"a":${entry},"a":{"dtype":"F32",${last}}}`, { size: 8 });
    const { tensors } = await opened(twice('"shape":[2],"data_offsets":[0,8]'));
    expect(tensors.get('a')).toMatchObject({ shape: [2], length: 8 });
    expect(await refusal(twice('"shape":[2],"data_offsets":[4,12]'))).toMatch(/ends at byte 12 of 8/);
  });

  test('__proto__ in an entry or in the metadata changes nothing', async () => {
    const inherited = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(await refusal(rawFile(`{"a":${inherited}}`, { size: 4 }))).toMatch(/unknown type undefined/);
    const { metadata } = await opened(rawFile('{"__metadata__":{"__proto__":"x","format":"pt"}}'));
    expect(Object.entries(metadata)).toEqual([
      ['__proto__', 'x'],
      ['format', 'pt'],
    ]);
  });
});

describe('allowed are', () => {
  test('no tensors', async () => {
    const { tensors, metadata } = await opened(rawFile('{}'));
    expect([tensors.size, metadata]).toEqual([0, {}]);
  });

  test.each([[null], ['text'], [[]], [{ a: 1, b: null }]])('metadata of %j, which counts as none', async (metadata) => {
    expect((await opened(rawFile(JSON.stringify({ __metadata__: metadata })))).metadata).toEqual({});
  });

  test('empty tensors anywhere, and scalars', async () => {
    const header = {
      none: { dtype: 'F32', shape: [0], data_offsets: [0, 0] },
      first: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
      between: { dtype: 'F16', shape: [3, 0, 2], data_offsets: [4, 4] },
      second: { dtype: 'BF16', shape: [1, 2], data_offsets: [4, 8] },
      end: { dtype: 'I64', shape: [0], data_offsets: [8, 8] },
    };
    for (const order of [Object.entries(header), Object.entries(header).toReversed()]) {
      const { tensors } = await opened(rawFile(JSON.stringify(Object.fromEntries(order)), { size: 8 }));
      const lengths = Object.fromEntries([...tensors].map(([name, { length }]) => [name, length]));
      expect(lengths).toEqual({ none: 0, first: 4, between: 0, second: 4, end: 0 });
    }
  });

  test('spaces after the header, as padding', async () => {
    expect((await opened(rawFile('{}      '))).tensors.size).toBe(0);
  });
});
