import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { SdError } from '@sd/core';
import { describe, expect, test } from 'vitest';
import { openPickle, openWeights, type TensorView, toFloat32 } from '../src/index.js';
import { memorySource } from './memory.js';

// Made by data/make_pickles.py.
const folder = fileURLToPath(new URL('data/pickle/', import.meta.url));
const bytesOf = (name: string) => new Uint8Array(readFileSync(folder + name));
const open = (bytes: Uint8Array, sizes = true) => openPickle(memorySource({ x: bytes }, { sizes }), 'x');
const openFile = (name: string) => open(bytesOf(name));

async function valuesOf({ dtype, file, offset, length }: TensorView): Promise<number[]> {
  const bytes = (await file.read()).slice(offset, offset + length);
  return Array.from(toFloat32(dtype, bytes));
}

const ramp = (count: number) => Array.from({ length: count }, (_, i) => i / 8 - 1);

describe('a torch checkpoint', () => {
  test.each(['checkpoint.ckpt', 'checkpoint-4.ckpt', 'checkpoint-deflated.ckpt', 'checkpoint-legacy.ckpt'])(
    '%s: the tensors of its state_dict by name',
    async (name) => {
      for (const sizes of [true, false]) {
        const { tensors } = await open(bytesOf(name), sizes);
        expect([...tensors.keys()]).toEqual(['a.weight', 'a.bias', 'n', 'b']);
        expect([...tensors.values()].map(({ dtype, shape }) => [dtype, shape])).toEqual([
          ['F32', [3, 4]],
          ['F16', [4]],
          ['I64', []],
          ['BF16', [2, 2]],
        ]);
        expect(await valuesOf(tensors.get('a.weight')!)).toEqual(ramp(12));
        expect(await valuesOf(tensors.get('a.bias')!)).toEqual(ramp(4));
        expect(await valuesOf(tensors.get('b')!)).toEqual(ramp(4));
      }
    },
  );

  test('keeps what Lightning left in it as plain data', async () => {
    const value = (await openFile('checkpoint.ckpt')).value as Map<string, unknown>;
    expect([value.get('epoch'), value.get('global_step')]).toEqual([3, 875000]);
    const [[callback, state]] = value.get('callbacks') as Map<unknown, Map<string, unknown>>;
    expect(callback).toMatchObject({ name: 'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint' });
    expect([state.get('monitor'), state.get('best')]).toEqual(['val/loss', 0.25]);
  });

  test('points into its own file if nothing is deflated', async () => {
    const source = {
      ...memorySource({ x: bytesOf('checkpoint.ckpt') }),
      realPath: async (path: string) => `/models/${path}`,
    };
    const files = new Set([...(await openPickle(source, 'x')).tensors.values()].map(({ file }) => file));
    expect([...files].map(({ path, location }) => [path, location])).toEqual([['/models/x', 'models/x']]);
  });

  test('is recognized by its first bytes, whatever its name', async () => {
    const { tensors } = await openWeights(memorySource({ 'vae.pt': bytesOf('checkpoint.ckpt') }), 'vae.pt');
    expect(tensors.has('a.weight')).toBe(true);
  });
});

test('views of one storage, contiguous or not, and types without a storage class of their own', async () => {
  const { tensors } = await openFile('views.pt');
  const expected = JSON.parse(readFileSync(`${folder}views.json`, 'utf8'));
  for (const [name, { shape, values }] of Object.entries<{ shape: number[]; values: number[] }>(expected)) {
    const view = tensors.get(name)!;
    expect([name, view.shape]).toEqual([name, shape]);
    expect(await valuesOf(view)).toEqual(values);
  }
  expect([...tensors].slice(Object.keys(expected).length).map(([name, { dtype }]) => [name, dtype])).toEqual([
    ['types.0', 'F64'],
    ['types.1', 'BOOL'],
    ['types.2', 'I16'],
  ]);
});

test('an old ParameterDict is read as its parameters', async () => {
  const { tensors, value } = await openFile('parameter-dict.pt');
  expect([...tensors.keys()]).toEqual(['string_to_param.*']);
  expect((value as Map<string, unknown>).get('size')).toEqual([2, 3]);
});

describe('a pickle that calls a function is refused by name, and no code runs', () => {
  test.each([
    ['calls-system.pt', 'posix.system'],
    ['calls-eval.pt', '__builtin__.eval'],
  ])('%s', async (name, called) => {
    const refusal = expect(openFile(name)).rejects;
    await refusal.toMatchObject({ code: 'bad-checkpoint', file: 'x' });
    await refusal.toThrow(
      `x: its pickle tries to call "${called}", which is not data. It was refused and no code was run.`,
    );
  });

  test.each([
    'builtins.getattr',
    'torch.load',
    'torch.storage._load_from_bytes',
    'numpy.core.multiarray._reconstruct',
    'collections.__proto__',
    'constructor.constructor',
    'torch.constructor',
    'os.',
  ])('%s', async (name) => {
    const [module, attribute] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    const bytes = zipOf(`\x80\x02c${module}\n${attribute}\n)R.`);
    await expect(open(bytes)).rejects.toThrow(`tries to call ${JSON.stringify(name)}`);
  });

  test('even if it only names the function or discards it', async () => {
    await expect(open(zipOf('\x80\x02cos\nsystem\n0}.'))).rejects.toThrow('tries to call "os.system"');
    await expect(open(zipOf('\x80\x04\x8c\x02os\x8c\x06system\x93.'))).rejects.toThrow('tries to call "os.system"');
  });

  test('an unknown codec is refused too', async () => {
    const pickle = '\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x04\0\0\0zlib\x86R.';
    await expect(open(zipOf(pickle))).rejects.toThrow('_codecs.encode to zlib');
  });
});

describe('a hostile pickle fails fast', () => {
  const long = (count: number) =>
    String.fromCharCode(count & 255, (count >> 8) & 255, (count >> 16) & 255, count >>> 24);
  test.each([
    ['no bytes', ''],
    ['no end', '\x80\x02}'],
    ['a pop from an empty stack', '\x80\x020.'],
    ['a pop below the mark', '\x80\x02}(0.'],
    ['a missing mark', '\x80\x02t.'],
    ['a missing memo', '\x80\x02h\x07.'],
    ['a string of 4 GB', `\x80\x02X${long(0xffffffff)}a.`],
    ['2^53 bytes', '\x80\x05\x8e\0\0\0\0\0\0\x20\0.'],
    ['2^64 bytes', '\x80\x05\x8e\xff\xff\xff\xff\xff\xff\xff\xff.'],
    ['an integer of 2 GB', `\x80\x02\x8b${long(0x7fffffff)}.`],
    ['a number with items', '\x80\x02K\x01K\x02K\x03s.'],
    ['a key without a value', '\x80\x02}(K\x01u.'],
    ['a call of a number', '\x80\x02K\x01)R.'],
    ['a call without arguments', '\x80\x02ccollections\nOrderedDict\nNR.'],
    ['a dict of numbers', '\x80\x02ccollections\nOrderedDict\n(K\x01K\x02K\x03ltR.'],
    ['an unknown instruction', '\x80\x02\xff.'],
    ['a reference to something that is not a storage', '\x80\x02K\x01Q.'],
    ['a tensor without storage', '\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.'],
    ['a number made of letters', '\x80\x02Iabc\n.'],
    ['a string that is not UTF-8', '\x80\x02X\x01\0\0\0\xff.'],
    ['deep nesting', `\x80\x02${']'.repeat(100_000)}${'a'.repeat(99_999)}.`],
  ])('%s', async (_, pickle) => {
    await expect(open(zipOf(pickle))).rejects.toMatchObject({ code: 'bad-checkpoint' });
  });

  const times = (count: number, pickle: string) => pickle.repeat(count);
  const text = (value: string) => `X${long(value.length)}${value}`;
  const call = (name: string, args: string) => `c${name}\n${args}R`;
  test.each([
    ['more instructions than any model', times(2_200_000, 'N')],
    [
      'bytes of one text, again and again',
      `${text('a'.repeat(8e6))}q\0${times(9, call('_codecs\nencode', `h\0${text('latin1')}\x86`))}`,
    ],
    [
      'one list as a dict, again and again',
      `](${times(100_000, 'K\x01N\x86')}eq\0${times(30, call('collections\nOrderedDict', 'h\0\x85'))}`,
    ],
    [
      'one list as a set, again and again',
      `](${times(100_000, 'K\x01')}eq\0${times(30, call('builtins\nset', 'h\0\x85'))}`,
    ],
    [
      'one dict as parameters, again and again',
      `}(${Array.from({ length: 60_000 }, (_, i) => `J${long(i)}N`).join('')}uq\0}${text('_parameters')}h\0sq\x01${times(60, '}h\x01b')}`,
    ],
    ["a long string of Python 2's", `T${long(9e6)}${'a'.repeat(9e6)}`],
  ])('work without end: %s', async (_, pickle) => {
    await expect(open(zipOf(`\x80\x02${pickle}.`))).rejects.toThrow('it asks for more work than any model needs');
  });

  test('keys that are neither texts nor numbers lead to no tensor, whatever they contain', async () => {
    const tuples = `)q\0${times(60, 'h\0h\0\x86q\x000')}`;
    const pickle = `\x80\x02${tuples}}(h\0${tensor('0', 'K\0K\x04\x85K\x01\x85\x89}').slice(2, -1)}X\x01\0\0\0a${tensor('0', 'K\0K\x04\x85K\x01\x85\x89}').slice(2, -1)}u.`;
    const { tensors } = await open(zipOf(pickle, { '0': new Uint8Array(16) }));
    expect([...tensors.keys()]).toEqual(['a']);
  });

  test('a storage that inflates to far more than its tensors have is inflated no further', async () => {
    const pickle = tensor('0', 'K\0K\x04\x85K\x01\x85\x89}');
    const bytes = zipOf(pickle, { '0': new Uint8Array(2 ** 24) }, 'data.pkl', [], true);
    const { file } = (await open(bytes)).value as TensorView;
    expect((await file.read()).length).toBe(16);
  });

  test('a name longer than any tensor has', async () => {
    const pickle = `\x80\x02}${text('a'.repeat(1001))}${tensor('0', 'K\0K\x04\x85K\x01\x85\x89}').slice(2, -1)}s.`;
    await expect(open(zipOf(pickle, { '0': new Uint8Array(16) }))).rejects.toThrow(
      'a name of more than 1000 characters',
    );
  });

  test.each([
    ['that contain themselves', ']q\0h\0a.'],
    ['doubled thirty times by reference', `]q\0${'h\0h\0\x86q\0'.repeat(30)}.`],
  ])('but lists %s are valid', async (_, pickle) => {
    expect((await open(zipOf(`\x80\x02${pickle}`))).tensors.size).toBe(0);
  });

  const tensor = (storage: string, rest: string) =>
    `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0${storage}X\x03\0\0\0cpuK\x04tQ${rest}tR.`;
  test.each([
    ['past its storage', tensor('0', 'K\x02K\x03\x85K\x01\x85\x89}'), 'ends past its storage'],
    [
      'of 2^60 values',
      tensor('0', 'K\0\x8a\x08\0\0\0\0\0\0\0\x10\x85K\x01\x85\x89}'),
      'invalid offset, size or stride',
    ],
    ['of 2^50 values over one', tensor('0', 'K\0\x8a\x07\0\0\0\0\0\0\x04\x85K\0\x85\x89}'), 'repeats its values'],
    [
      'with a negative stride',
      tensor('0', 'K\x03K\x03\x85J\xff\xff\xff\xff\x85\x89}'),
      'invalid offset, size or stride',
    ],
    ['whose offset is not a number', tensor('0', 'NK\x03\x85K\x01\x85\x89}'), 'invalid offset, size or stride'],
    ['with too few strides', tensor('0', 'K\0K\x02K\x02\x86K\x01\x85\x89}'), 'invalid offset, size or stride'],
    ['of a missing storage', tensor('1', 'K\0K\x02\x85K\x01\x85\x89}'), 'has no entry archive/data/1'],
  ])('a tensor %s', async (_, pickle, message) => {
    await expect(open(zipOf(pickle, { '0': new Uint8Array(16) }))).rejects.toThrow(message);
  });

  test('a tensor that fits', async () => {
    const pickle = tensor('0', 'K\x01K\x03\x85K\x01\x85\x89}');
    const value = (await open(zipOf(pickle, { '0': new Uint8Array(16) }))).value as TensorView;
    expect([value.shape, await valuesOf(value)]).toEqual([[3], [0, 0, 0]]);
  });
});

describe('a zip', () => {
  test.each([
    [
      'without data.pkl',
      zipOf('', { '0': new Uint8Array(4) }, 'other.pkl'),
      /without data\.pkl.* It has archive\/other\.pkl, .*: unpack it/,
    ],
    ['of a TorchScript program', zipOf('\x80\x02}.', {}, 'data.pkl', ['constants.pkl']), 'is a TorchScript program'],
  ])('%s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
  });

  test('that claims an impossible compression ratio', async () => {
    const bytes = bytesOf('checkpoint-deflated.ckpt');
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length - 46; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 2 ** 30, true);
    }
    await expect(open(bytes)).rejects.toThrow('the directory of the zip is broken');
  });
});

describe('broken files', () => {
  const names = readdirSync(folder).filter((name) => !name.endsWith('.json'));

  /** Reads all values and returns whether that worked. Throws any error that is not an SdError. */
  async function opens(bytes: Uint8Array, name: string): Promise<boolean> {
    try {
      for (const view of (await open(bytes)).tensors.values()) await view.file.read();
      return true;
    } catch (error) {
      if (!(error instanceof SdError)) throw new Error(`${name}: ${String(error)}`, { cause: error });
      return false;
    }
  }

  test.each(names)('%s, truncated at every byte', async (name) => {
    const bytes = bytesOf(name);
    for (let length = 0; length < bytes.length; length++) {
      expect(await opens(bytes.subarray(0, length), `${name} cut to ${length}`)).toBe(false);
    }
  });

  test.each(names)('%s, with bytes changed', async (name) => {
    const bytes = bytesOf(name);
    let state = 1;
    const random = (limit: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < 500; round++) {
      const changed = bytes.slice();
      for (let i = 0; i <= random(4); i++) changed[random(changed.length)] = random(256);
      await opens(changed, `${name}, round ${round}`);
    }
  });
});

/** A zip as torch writes it, uncompressed, or with deflated storages: a pickle, and storages by key. */
function zipOf(
  pickle: string,
  storages: Readonly<Record<string, Uint8Array>> = {},
  main = 'data.pkl',
  others: readonly string[] = [],
  deflated = false,
): Uint8Array {
  const latin = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
  const files = [
    [`archive/${main}`, latin(pickle)] as const,
    ...Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const),
    ...others.map((name) => [`archive/${name}`, new Uint8Array()] as const),
  ];
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, whole] of files) {
    const isDeflated = deflated && name.startsWith('archive/data/');
    const bytes = isDeflated ? deflateRawSync(whole) : whole;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt32LE(bytes.length, 18);
    header.writeUInt32LE(bytes.length, 22);
    header.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt32LE(bytes.length, 20);
    entry.writeUInt32LE(whole.length, 24);
    if (isDeflated) entry.writeUInt16LE(8, 10);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(header, Buffer.from(name), Buffer.from(bytes));
    at += 30 + name.length + bytes.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...parts, ...directory, end]));
}
