// Values for options and arguments, by name: one of every type, and near misses of valid values.

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const detached = () => {
  const bytes = new Uint8Array(10);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

const cyclic = () => {
  const list = [];
  list.push(list);
  return list;
};

const nested = () => {
  let list = [];
  for (let i = 0; i < 20000; i++) list = [list];
  return list;
};

const mine = () => {
  throw new Error('mine');
};

const plain = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    2,
    8,
    64,
    0.5,
    -0.5,
    1e9,
    2 ** 31,
    2 ** 53,
    1e308,
    Number.NaN,
    Infinity,
  ],
  ...[
    '',
    ' ',
    'x',
    '64',
    'NaN',
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    'euler',
    'numpy',
    'a1111',
    'compel',
    'cover',
  ],
  ...['latents', 'DDIMScheduler', '../..', '/', 'http://', 'file:///etc/passwd', 'data:,x', 'a'.repeat(5000)],
];

const objects = {
  bigint: () => 5n,
  'huge bigint': () => 2n ** 64n,
  symbol: () => Symbol('s'),
  iterator: () => Symbol.iterator,
  function: () => () => 1,
  'async function': () => async () => 1,
  'function that throws': () => mine,
  class: () => class A {},
  object: () => ({}),
  'object without prototype': () => Object.create(null),
  'object of x': () => ({ x: 1 }),
  list: () => [],
  'list of numbers': () => [1, 2],
  'sparse list': () => new Array(3),
  'cyclic list': cyclic,
  'nested list': nested,
  map: () => new Map([['a', 1]]),
  set: () => new Set([1]),
  date: () => new Date(0),
  'invalid date': () => new Date(Number.NaN),
  regexp: () => /x/,
  error: () => new Error('x'),
  promise: () => Promise.resolve(1),
  proxy: () => new Proxy({}, {}),
  'revoked proxy': revoked,
  'getter that throws': () => ({
    get width() {
      return mine();
    },
  }),
  'toString that throws': () => ({ toString: mine }),
  'toPrimitive that throws': () => ({ [Symbol.toPrimitive]: mine }),
  'wrapped number': () => new Number(64),
  'wrapped string': () => new String('x'),
  'number-like': () => ({ valueOf: () => 64 }),
  'huge list-like': () => ({ length: 1e9 }),
  'no bytes': () => new Uint8Array(),
  'zero bytes': () => new Uint8Array(10),
  'detached bytes': detached,
  floats: () => new Float32Array(10),
  buffer: () => new ArrayBuffer(8),
  'data view': () => new DataView(new ArrayBuffer(8)),
  'shared buffer': () => new SharedArrayBuffer(8),
  blob: () => new Blob(['x']),
  url: () => new URL('http://127.0.0.1:1/x'),
  'small pixels': () => ({ width: 2, height: 2, data: new Uint8Array(16) }),
  'pixels by text': () => ({ width: '2', height: 2, data: new Uint8Array(16) }),
  pixels: () => ({ width: 64, height: 64, data: new Uint8ClampedArray(64 * 64 * 4) }),
  'huge pixels': () => ({ width: 2 ** 26, height: 2 ** 26, data: new Uint8Array(4) }),
  'negative pixels': () => ({ width: -1, height: -1, data: new Uint8Array(4) }),
  latents: () => ({ type: 'float32', dims: [1, 4, 8, 8], data: new Float32Array(256) }),
  'latents of NaN': () => ({ type: 'float32', dims: [1, 4, 8, 8], data: new Float32Array(256).fill(Number.NaN) }),
  'latents of nothing': () => ({ type: 'float32', dims: null, data: null }),
  'latents of a symbol': () => ({ type: Symbol('t'), dims: [Symbol('d')], data: new Float32Array(1) }),
  'latents of one number': () => ({ dims: 5 }),
  'huge latents': () => ({ dims: [1e9, 1e9], type: 'float32', data: { length: 1e18 } }),
  'weighted texts': () => [{ text: 'a', weight: 1 }],
  'weighted number': () => [{ text: 5 }],
  'weight NaN': () => [{ text: 'a', weight: Number.NaN }],
  'weight as text': () => [{ text: 'a', weight: '1' }],
  'list of null': () => [null],
  'own __proto__': () => JSON.parse('{"__proto__": {"x": 1}}'),
  'own constructor': () => JSON.parse('{"constructor": {"prototype": 1}}'),
  'factor 2': () => ({ factor: 2 }),
  'factor NaN': () => ({ factor: Number.NaN }),
  size: () => ({ width: 64, height: 64 }),
  'list of an image': () => [{ image: new Uint8Array(3) }],
  'list of objects': () => [{}],
  'plan of nothing': () => ({ plan: () => null, prediction: 'epsilon' }),
  'plan of an object': () => ({ plan: () => ({}), prediction: 'epsilon' }),
  'plan that throws': () => ({ plan: mine }),
  'source without files': () => ({ read: async () => new Uint8Array() }),
  'source of numbers': () => ({ read: async () => 5, size: async () => 'x' }),
  'source that throws': () => ({ read: mine }),
  'backend of nothing': () => ({ load: async () => null, provider: 'cpu', features: {} }),
  'signal-like': () => ({ aborted: false, addEventListener() {} }),
  'aborted signal': () => AbortSignal.abort(),
  signal: () => new AbortController().signal,
};

/** Makers of values, by name. */
export const values = {
  ...Object.fromEntries(
    plain.map((value) => [
      typeof value === 'string' ? `'${value.slice(0, 20)}'` : `${value}${Object.is(value, -0) ? ' below' : ''}`,
      () => value,
    ]),
  ),
  ...objects,
};
