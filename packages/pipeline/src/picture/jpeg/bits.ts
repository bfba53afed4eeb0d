/** The bits of a scan, most significant first. */
export interface Bits {
  /** The next 0 to 16 bits as a number. Throws an Error past the end of the scan. */
  take(count: number): number;
  /** The next bits without taking them; zeros past the end. */
  peek(count: number): number;
  /** Begins after the restart marker that must stand here. Throws an Error where there is none. */
  restart(): void;
  /** Where the marker after the scan stands, or the end of the file. */
  end(): number;
}

/** Reads bits from `start` up to the next marker; a zero after 255 is no data. ITU-T T.81, F.2.2.5. */
export function readBits(bytes: Uint8Array, start: number): Bits {
  let at = start;
  let held = 0;
  let buffer = 0;
  let made = 0;

  const fill = () => {
    while (held <= 16) {
      let byte = 0;
      if (at >= bytes.length || (bytes[at] === 0xff && bytes[at + 1] !== 0)) made += 8;
      else {
        byte = bytes[at]!;
        at += byte === 0xff ? 2 : 1;
      }
      buffer = (buffer << 8) | byte;
      held += 8;
    }
  };
  const peek = (count: number) => {
    if (held < count) fill();
    return (buffer >>> (held - count)) & ((1 << count) - 1);
  };
  const nextMarker = () => {
    while (at < bytes.length && !(bytes[at] === 0xff && bytes[at + 1]! > 0 && bytes[at + 1] !== 0xff)) at++;
    return at;
  };
  return {
    peek,
    take(count) {
      const value = peek(count);
      held -= count;
      if (held < made) throw new Error('its pixels are cut off');
      return value;
    },
    restart() {
      const marker = bytes[nextMarker() + 1];
      if (marker === undefined || marker < 0xd0 || marker > 0xd7) throw new Error('a restart marker is missing');
      at += 2;
      [held, buffer, made] = [0, 0, 0];
    },
    end: nextMarker,
  };
}
