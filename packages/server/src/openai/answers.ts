import type { EncodedImage, FinishedImageEvent, OutputFormat } from '../engine.js';
import type { Runtime } from '../runtime.js';
import type { ImageFields } from './fields.js';

/** Nothing is metered here, but clients expect the counts. */
const usage = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0,
};

export interface AnswerContext {
  readonly fields: ImageFields;
  readonly output: OutputFormat;
  readonly runtime: Runtime;
  readonly request: Request;
}

/** The answer to a request that does not stream. */
export function imagesResponse(images: readonly FinishedImageEvent[], context: AnswerContext): object {
  return {
    created: now(),
    background: 'opaque',
    data: images.map((image) => imageData(image, context)),
    output_format: context.output.format,
    quality: qualityOf(context.fields),
    ...(images.length > 0 && { size: sizeText(images[0].image) }),
    usage,
  };
}

function imageData({ image, seed }: FinishedImageEvent, { fields, runtime, request }: AnswerContext): object {
  const content =
    fields.response_format === 'url'
      ? { url: `${runtime.urlOf(request)}/images/${runtime.images.add(image)}` }
      : { b64_json: base64(image.bytes) };
  return { ...content, seed: Number(seed) };
}

/** The data of an event of a stream; `type` begins with the kind of request. */
export function streamEvent(
  type: string,
  image: EncodedImage,
  { fields, output }: AnswerContext,
  more: object,
): object {
  return {
    type,
    b64_json: base64(image.bytes),
    created_at: now(),
    size: sizeText(image),
    quality: qualityOf(fields),
    background: 'opaque',
    output_format: output.format,
    ...more,
    ...(type.endsWith('.completed') && { usage }),
  };
}

function qualityOf({ quality = 'auto' }: ImageFields): string {
  if (quality === 'hd') return 'high';
  return quality === 'auto' || quality === 'standard' ? 'medium' : quality;
}

const sizeText = ({ width, height }: EncodedImage) => `${width}x${height}`;
const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const now = () => Math.floor(Date.now() / 1000);
