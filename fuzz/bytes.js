export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const utf8 = (text) => new TextEncoder().encode(text);
export const latin1 = (text) => new Uint8Array(Buffer.from(text, 'latin1'));
export const uint16 = (value) => Uint8Array.of(value & 255, (value >> 8) & 255);
export const uint32 = (value) => written(4, (view) => view.setUint32(0, value >>> 0, true));
export const uint32BigEndian = (value) => written(4, (view) => view.setUint32(0, value >>> 0));
export const uint64 = (value) => written(8, (view) => view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true));

function written(size, write) {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

const edges = [
  0,
  1,
  2,
  3,
  7,
  8,
  16,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];

/** Bytes with a few changes: bits flipped, fields overwritten, pieces cut, repeated, inserted and moved. */
export function mutate(random, bytes, most = 6) {
  let out = Uint8Array.from(bytes);
  for (let i = random.range(1, most); i > 0 && out.length > 0; i--)
    out = random.pick(changes)(random, out, random.int(out.length));
  return out;
}

const piece = (random, out, place) => random.range(1, Math.min(64, out.length - place));

const changes = [
  (random, out, place) => withByte(out, place, out[place] ^ (1 << random.int(8))),
  (random, out, place) => withByte(out, place, random.int(256)),
  (random, out, place) => withByte(out, place, out[place] + random.pick([1, -1])),
  overwriteField,
  (_, out, place) => out.slice(0, place),
  (random, out, place) => concat([out.subarray(0, place), out.subarray(place + piece(random, out, place))]),
  (random, out, place) => concat([out.subarray(0, place + piece(random, out, place)), out.subarray(place)]),
  (random, out, place) => concat([out.subarray(0, place), random.bytes(random.range(1, 16)), out.subarray(place)]),
  (random, out, place) => out.copyWithin(random.int(out.length), place, place + piece(random, out, place)),
];

function withByte(bytes, place, value) {
  bytes[place] = value & 255;
  return bytes;
}

function overwriteField(random, bytes, place) {
  const size = random.pick([1, 2, 4, 8]);
  if (place + size > bytes.length) return bytes;
  const [view, value, little] = [new DataView(bytes.buffer), random.pick(edges), random.chance(0.7)];
  if (size === 1) view.setUint8(place, value & 255);
  else if (size === 2) view.setUint16(place, value & 65535, little);
  else if (size === 4) view.setUint32(place, value, little);
  else view.setBigUint64(place, BigInt.asUintN(64, BigInt(value) * (random.chance(0.3) ? 4294967297n : 1n)), little);
  return bytes;
}
