import { CheckpointError, show } from '@sd/core';
import type { Dtype } from '../safetensors/dtype.js';
import type { Global } from './machine.js';
import type { TensorMaker } from './tensors.js';

/** Value types by torch's names for them: storage classes and dtypes. */
const dtypes: Readonly<Record<string, Dtype>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

/** A global that names a value type; undefined for a storage without one. */
export interface DtypeGlobal extends Global {
  readonly dtype: Dtype | undefined;
}

/**
 * Everything that a pickle may name: tensors and plain containers, and what PyTorch Lightning leaves in checkpoints (NumPy
 * scalars, and a callback's class as a key). All of it is data; no code from the file runs. Throws a CheckpointError that
 * names any other global.
 */
export function knownGlobals(path: string, tensor: TensorMaker): (module: string, name: string) => Global {
  const calls: Readonly<Record<string, Global['call']>> = {
    'collections.OrderedDict': ([pairs]) => mapOfPairs(path, pairs),
    'torch.nn.modules.container.ParameterDict': () => new Map(),
    'torch._utils._rebuild_tensor_v2': ([storage, offset, size, stride]) => tensor({ storage, offset, size, stride }),
    'torch._utils._rebuild_tensor_v3': ([storage, offset, size, stride, , , type]) =>
      tensor({ storage, offset, size, stride, dtype: (type as DtypeGlobal | undefined)?.dtype }),
    'torch._utils._rebuild_parameter': ([data]) => data,
    'torch.Size': ([sizes]) => sizes,
    'builtins.set': ([items]) => new Set(Array.isArray(items) ? items : []),
    '_codecs.encode': ([text, encoding]) => latinBytes(path, text, encoding),
    'numpy.dtype': ([type]) => ({ type }),
    'numpy.core.multiarray.scalar': ([type, bytes]) => scalar(type, bytes),
    'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint': undefined,
  };
  return (module, name) => {
    const full = `${module}.${name}`;
    const dtype = module === 'torch' && Object.hasOwn(dtypes, name) ? dtypes[name] : undefined;
    if (dtype !== undefined || full === 'torch.storage.UntypedStorage') return { name: full, dtype } as DtypeGlobal;
    const known = full.replace(/^__builtin__\./, 'builtins.').replace(/^numpy\._core\./, 'numpy.core.');
    if (!Object.hasOwn(calls, known)) throw refused(path, full);
    return { name: full, call: calls[known] };
  };
}

function mapOfPairs(path: string, pairs: unknown): Map<unknown, unknown> {
  const list = pairs === undefined ? [] : pairs;
  if (Array.isArray(list) && list.every((pair) => Array.isArray(pair) && pair.length === 2)) return new Map(list);
  throw refused(path, 'collections.OrderedDict with items that are not pairs');
}

function refused(path: string, what: string): CheckpointError {
  return new CheckpointError(
    'bad-checkpoint',
    path,
    `its pickle tries to call ${show(what)}, which is not data. It was refused and no code was run. Use a .safetensors version of the file, or do not use it.`,
  );
}

function latinBytes(path: string, text: unknown, encoding: unknown): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    throw refused(path, `_codecs.encode to ${typeof encoding === 'string' ? encoding : show(encoding)}`);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A NumPy scalar as a number if its type is known, otherwise its bytes. */
function scalar(dtype: unknown, bytes: unknown): unknown {
  const type = (dtype as { type?: unknown } | null)?.type;
  if (!(bytes instanceof Uint8Array)) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'f8' && bytes.length === 8) return view.getFloat64(0, true);
  if (type === 'f4' && bytes.length === 4) return view.getFloat32(0, true);
  if (type === 'i8' && bytes.length === 8) return Number(view.getBigInt64(0, true));
  if (type === 'i4' && bytes.length === 4) return view.getInt32(0, true);
  return bytes;
}
