import { InvalidOptionError } from '@sd/core';
import { checkSize } from '../size.js';

/** A small file with thousands of tiny scans could keep a decoder busy for hours; real files have about ten. */
const maxScans = 100;

/**
 * Checks a JPEG file before it is decoded, walking from marker to marker as libjpeg does (ITU-T T.81, B.1). Throws an
 * InvalidOptionError for an unsupported size or format, and an Error for a truncated file, which libjpeg would fill with
 * gray.
 */
export function checkJpeg(bytes: Uint8Array, option: string): void {
  let scans = 0;
  for (let at = 2; ; ) {
    at = nextMarker(bytes, at);
    const marker = bytes[at + 1];
    if (marker === 0xd9) return;
    at += 2;
    // Restart markers within a scan, and TEM, have no length.
    if ((marker >= 0xd0 && marker <= 0xd7) || marker === 0x01) continue;
    const length = (bytes[at] << 8) | bytes[at + 1];
    if (!(length >= 2) || at + length > bytes.length) throw new Error('it is cut off');
    if (isFrame(marker)) checkFrame(bytes.subarray(at + 2, at + length), bytes.length, option);
    if (marker === 0xda && ++scans > maxScans) throw new Error(`it has more than ${maxScans} scans`);
    at += length;
  }
}

/** The next 0xff that begins a marker: not a stuffed byte (0xff 0x00), nor a fill byte (0xff 0xff). */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at++) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) throw new Error('it is cut off');
    if (bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) return at;
  }
}

/** True for SOF0 to SOF15, without DHT, JPG and DAC among them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function checkFrame(frame: Uint8Array, fileLength: number, option: string): void {
  if (frame.length < 6) throw new Error('its frame header is cut off');
  const [width, height] = [(frame[3] << 8) | frame[4], (frame[1] << 8) | frame[2]];
  checkSize(width, height, option);
  // Each block of 8 x 8 pixels takes a bit at least. libjpeg would decode all those that are missing first.
  if (Math.ceil(width / 8) * Math.ceil(height / 8) > fileLength * 8) throw new Error('it is cut off');
  if (frame[5] === 4) {
    throw new InvalidOptionError(option, 'is a CMYK JPEG file, which is not supported. Save it as RGB.');
  }
}
