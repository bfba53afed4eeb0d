import type { TensorToWrite } from '@sd/weights';

const storages: Readonly<Record<string, string>> = {
  F32: 'FloatStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
};

/** A checkpoint as torch.save writes it, a zip with a pickle of protocol 2: `{ global_step, [key]: { name: tensor } }`. */
export async function torchFile(
  tensors: readonly TensorToWrite[],
  globalStep = 0,
  key = 'state_dict',
): Promise<Uint8Array> {
  const files: [string, Buffer][] = [['archive/data.pkl', pickleOf(tensors, globalStep, key)]];
  for (const [i, tensor] of tensors.entries()) files.push([`archive/data/${i}`, Buffer.from(await tensor.bytes())]);
  return zipOf(files);
}

function pickleOf(tensors: readonly TensorToWrite[], globalStep: number, key: string): Buffer {
  const integer = (value: number) => Buffer.concat([Buffer.from('J'), uint32(value)]);
  const text = (value: string) =>
    Buffer.concat([Buffer.from('X'), uint32(Buffer.byteLength(value)), Buffer.from(value)]);
  const tuple = (values: readonly number[]) =>
    Buffer.concat([Buffer.from('('), ...values.map(integer), Buffer.from('t')]);
  const entries = tensors.flatMap(({ name, dtype, shape }, i) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const storage = [Buffer.from('(('), text('storage'), Buffer.from(`ctorch\n${storages[dtype]}\n`), text(String(i))];
    const view = [text('cpu'), integer(count), Buffer.from('tQ'), integer(0), tuple(shape), tuple(strides)];
    const [call, end] = [Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n'), Buffer.from('\x89}tR', 'latin1')];
    return [text(name), call, ...storage, ...view, end];
  });
  const [start, dict] = [Buffer.from('\x80\x02}(', 'latin1'), Buffer.from('}(')];
  return Buffer.concat([
    start,
    text('global_step'),
    integer(globalStep),
    text(key),
    dict,
    ...entries,
    Buffer.from('uu.'),
  ]);
}

function zipOf(files: readonly (readonly [string, Buffer])[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const sizes = [uint32(0), uint32(bytes.length), uint32(bytes.length), uint16(name.length)];
    parts.push(Buffer.from('PK\x03\x04'), Buffer.alloc(10), ...sizes, uint16(0), Buffer.from(name), bytes);
    directory.push(
      Buffer.from('PK\x01\x02'),
      Buffer.alloc(12),
      ...sizes,
      Buffer.alloc(12),
      uint32(offset),
      Buffer.from(name),
    );
    offset += 30 + name.length + bytes.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = [
    Buffer.from('PK\x05\x06'),
    Buffer.alloc(6),
    uint16(files.length),
    uint32(directoryBytes.length),
    uint32(offset),
    uint16(0),
  ];
  return new Uint8Array(Buffer.concat([...parts, directoryBytes, ...end]));
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
