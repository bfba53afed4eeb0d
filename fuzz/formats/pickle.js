import { concat, latin1, uint32, utf8 } from '../bytes.js';

/** Instructions of pickles. */
export const op = {
  raw: latin1,
  proto: (version = 2) => Uint8Array.of(0x80, version),
  global: (module, name) => latin1(`c${module}\n${name}\n`),
  text: (value) => concat([latin1('X'), uint32(utf8(value).length), utf8(value)]),
  int: (value) => concat([latin1('J'), uint32(value)]),
  put: (index) => Uint8Array.of(0x71, index),
  get: (index) => Uint8Array.of(0x68, index),
  tuple: (items) => concat([latin1('('), ...items, latin1('t')]),
  dict: (entries) => concat([latin1('}('), ...entries.flat(), latin1('u')]),
  /** A tensor over a storage of `count` values. */
  tensor: ({ key = '0', storage = 'FloatStorage', count = 4, offset = 0, size = [4], stride = [1] } = {}) =>
    concat([
      latin1('ctorch._utils\n_rebuild_tensor_v2\n(('),
      ...[op.text('storage'), op.global('torch', storage), op.text(key), op.text('cpu'), op.int(count), latin1('tQ')],
      ...[op.int(offset), op.tuple(size.map(op.int)), op.tuple(stride.map(op.int))],
      latin1('\x89ccollections\nOrderedDict\n)RtR'),
    ]),
};
