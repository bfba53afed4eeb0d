import type { ImageModelV4File } from '@ai-sdk/provider';
import { AbortError, messageOf, SourceError } from '@sd/core';
import { type Pixels, readImage } from '@sd/image';

/** The bytes of an image file. An address is fetched; rejects with a SourceError if that fails. */
export async function fileBytes(file: ImageModelV4File, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (file.type === 'file') return typeof file.data === 'string' ? fromBase64(file.data) : file.data;
  try {
    const response = await fetch(file.url, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    throw new SourceError('read-failed', file.url, `${file.url} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/**
 * A mask, white where it is to be repainted. One with transparent pixels is taken as OpenAI's: they are what is to be
 * repainted, whatever their colour.
 */
export async function maskPixels(file: ImageModelV4File, signal: AbortSignal | undefined): Promise<Pixels> {
  const mask = await readImage(await fileBytes(file, signal), 'prompt.mask');
  if (!mask.data.some((value, i) => i % 4 === 3 && value < 255)) return mask;
  const data = mask.data.map((_, i) => (i % 4 === 3 ? 255 : 255 - mask.data[i - (i % 4) + 3]));
  return { ...mask, data };
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
