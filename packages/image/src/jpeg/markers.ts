import { InvalidOptionError } from '@sd/core';
import { checkSize } from '../size.js';

/** A file of a few bytes a scan could keep a decoder busy for hours; real ones have some ten. */
const mostScans = 100;

/**
 * Walks a JPEG file from marker to marker, as libjpeg does, before anything is decoded. Throws an InvalidOptionError for
 * a size or kind that is not read, or an Error where the file is cut off: libjpeg would fill up with gray. ITU-T T.81, B.1.
 */
export function checkJpeg(bytes: Uint8Array, option: string): void {
  let scans = 0;
  for (let at = 2; ; ) {
    at = nextMarker(bytes, at);
    const marker = bytes[at + 1]!;
    if (marker === 0xd9) return;
    at += 2;
    // Restarts, within a scan, and TEM: the markers without a length.
    if ((marker >= 0xd0 && marker <= 0xd7) || marker === 0x01) continue;
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    if (!(length >= 2) || at + length > bytes.length) throw new Error('it is cut off');
    if (isFrame(marker)) checkFrame(bytes.subarray(at + 2, at + length), option);
    if (marker === 0xda && ++scans > mostScans) throw new Error(`it has more than ${mostScans} scans`);
    at += length;
  }
}

/** The next 0xff that begins a marker: not one before a 0, which is a sample's, nor one that fills up. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at++) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) throw new Error('it is cut off');
    if (bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff) return at;
  }
}

/** SOF0 to SOF15, between which stand DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function checkFrame(frame: Uint8Array, option: string): void {
  if (frame.length < 6) throw new Error('its frame header is cut off');
  checkSize((frame[3]! << 8) | frame[4]!, (frame[1]! << 8) | frame[2]!, option);
  if (frame[5] === 4) {
    throw new InvalidOptionError(option, 'is a JPEG file in CMYK, which is not read. Save it as RGB.');
  }
}
