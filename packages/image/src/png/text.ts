import { InvalidOptionError } from '@sd/core';
import { bytesOfLatin1, latin1Of } from '../latin1.js';
import { brokenPng as broken, type Chunk, chunksOf, isIntact } from './chunks.js';
import { crc32 } from './crc.js';

const headerEnd = 8 + 12 + 13;
const maxTextLength = 2 ** 24;

/**
 * Adds a text chunk to a PNG file, before its pixels: tEXt if Latin-1 can hold the text, otherwise uncompressed iTXt.
 * Follows the PNG specification, third edition, 11.3.3.
 */
export function addText(png: Uint8Array, keyword: string, text: string): Uint8Array<ArrayBuffer> {
  // PNG text may not contain null characters.
  const clean = text.replaceAll('\0', '');
  const latin1 = /^[\t\n\r\x20-\x7e\xa0-\xff]*$/.test(clean);
  const bytes = latin1
    ? bytesOfLatin1(`${keyword}\0${clean}`)
    : new TextEncoder().encode(`${keyword}\0\0\0\0\0${clean}`);
  const chunk = makeChunk(latin1 ? 'tEXt' : 'iTXt', bytes);
  const out = new Uint8Array(png.length + chunk.length);
  out.set(png.subarray(0, headerEnd));
  out.set(chunk, headerEnd);
  out.set(png.subarray(headerEnd), headerEnd + chunk.length);
  return out;
}

/**
 * The first text with this keyword in a PNG file, from a tEXt, zTXt or iTXt chunk; undefined if there is none. Throws an
 * InvalidOptionError (`file`) for an incomplete PNG file, and for a text that is broken or longer than 16 MB.
 */
export async function findText(png: Uint8Array, keyword: string): Promise<string | undefined> {
  let first: Chunk | undefined;
  for (const chunk of chunksOf(png)) {
    if (/^(tEXt|zTXt|iTXt)$/.test(chunk.type) && keywordOf(chunk.data) === keyword) first ??= chunk;
  }
  if (first === undefined) return undefined;
  if (!isIntact(first)) throw broken(`its ${first.type} chunk has the wrong checksum.`);
  return decodeText(first.type, first.data.subarray(keyword.length + 1));
}

function keywordOf(data: Uint8Array): string | undefined {
  const end = data.indexOf(0);
  return end < 1 || end > 79 ? undefined : latin1Of(data.subarray(0, end));
}

async function decodeText(type: string, data: Uint8Array<ArrayBuffer>): Promise<string> {
  if (type === 'tEXt') return latin1Of(data);
  if (type === 'zTXt') return latin1Of(await inflate(data.subarray(1)));
  const compressed = data[0] !== 0;
  const languageEnd = data.indexOf(0, 2);
  const titleEnd = languageEnd < 0 ? -1 : data.indexOf(0, languageEnd + 1);
  if (titleEnd < 0) throw broken('its iTXt chunk is cut off.');
  const text = data.subarray(titleEnd + 1);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(compressed ? await inflate(text) : text);
  } catch (error) {
    throw error instanceof InvalidOptionError ? error : broken('its iTXt chunk is not UTF-8.');
  }
}

/** A complete chunk, with its length and checksum. */
export function makeChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(bytesOfLatin1(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await collect(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')), maxTextLength);
  } catch (error) {
    throw error instanceof InvalidOptionError ? error : broken('its compressed text cannot be decompressed.');
  }
}

async function collect(stream: ReadableStream<Uint8Array>, maxLength: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    if (length <= maxLength) continue;
    await reader.cancel();
    throw broken(`its text is longer than ${maxLength} bytes.`);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
