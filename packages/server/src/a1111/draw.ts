import { AbortError } from '@sd/core';
import { parseParameters } from '@sd/image';
import type { EncodedImage, FinishedImageEvent, OutputFormat } from '../engine.js';
import type { Runtime } from '../runtime.js';
import type { SeededRequest } from './request.js';
import { type A1111Run, type A1111Session, base64, timestamp } from './session.js';

/** Previews of each image, for front ends that ask for the progress about once a second. */
const previews = 8;

export interface DrawA1111 {
  readonly request: SeededRequest;
  readonly model: string | undefined;
  readonly output?: OutputFormat;
  /** Changes each finished image, such as by pasting it into the one that it started from. */
  finish?(image: EncodedImage): Promise<EncodedImage>;
}

export interface DrawnImages {
  readonly images: readonly FinishedImageEvent[];
  readonly model: string;
}

/** Draws the images of a request, with those that are finished when the run is interrupted. */
export async function drawImages(
  runtime: Runtime,
  session: A1111Session,
  { request, model, output, finish = async (image) => image }: DrawA1111,
  client: Request,
): Promise<DrawnImages> {
  const images: FinishedImageEvent[] = [];
  let name = model ?? '';
  for (let from = 0; from < request.count; ) {
    const stopping = new AbortController();
    const run: A1111Run = {
      ...{
        count: request.count,
        index: from,
        step: 0,
        steps: request.steps ?? 0,
        startedAt: Date.now(),
        stop: undefined,
      },
      abort: () => stopping.abort(),
    };
    try {
      const job = { model, previews, output, request: fromImage(request, from) };
      for await (const event of runtime.draw(job, client, stopping.signal)) {
        if (event.type === 'started') {
          session.run = run;
          name = event.model;
        }
        if (event.type === 'step')
          Object.assign(run, { index: from + event.index, step: event.step + 1, steps: event.steps });
        if (event.type === 'preview') run.preview = event.image;
        if (event.type === 'image') images.push({ ...event, image: await finish(event.image) });
      }
      return { images, model: name };
    } catch (error) {
      if (run.stop === undefined || !(error instanceof AbortError)) throw error;
      images.push(...unfinished(run, request));
      if (run.stop === 'interrupt') return { images, model: name };
      from = run.index + 1;
    } finally {
      if (session.run === run) session.run = undefined;
    }
  }
  return { images, model: name };
}

/** The image that was stopped, as far as it was. */
function unfinished({ preview, index }: A1111Run, { seed }: SeededRequest): FinishedImageEvent[] {
  if (preview === undefined) return [];
  return [{ type: 'image', index, seed: seed + index, image: preview, parameters: '' }];
}

/** The request for the images from an index on. */
function fromImage(request: SeededRequest, index: number): SeededRequest {
  const { seed, count, variationSeed, variationStrength } = request;
  const rest = { ...request, count: count - index };
  if (variationStrength === undefined) return { ...rest, seed: seed + index };
  return { ...rest, variationSeed: Number(variationSeed) + index };
}

/** A1111's answer. `info` is JSON in a text. */
export function answerOf(
  { images, model }: DrawnImages,
  request: SeededRequest,
  parameters: object,
  send = true,
): object {
  const seeds = images.map(({ seed }) => Number(seed));
  const [first] = images;
  const { settings = {} } = first === undefined ? {} : parseParameters(first.parameters);
  const subseeds = images.map((_, i) => (request.variationSeed === undefined ? -1 : Number(request.variationSeed) + i));
  const info = {
    prompt: request.prompt,
    all_prompts: images.map(() => request.prompt),
    negative_prompt: request.negativePrompt ?? '',
    all_negative_prompts: images.map(() => request.negativePrompt ?? ''),
    seed: seeds[0] ?? request.seed,
    all_seeds: seeds,
    subseed: subseeds[0] ?? -1,
    all_subseeds: subseeds,
    subseed_strength: request.variationStrength ?? 0,
    width: first?.image.width ?? request.width,
    height: first?.image.height ?? request.height,
    sampler_name: settings.Sampler ?? '',
    cfg_scale: Number(settings['CFG scale'] ?? request.guidanceScale ?? 0),
    steps: Number(settings.Steps ?? request.steps ?? 0),
    batch_size: request.count,
    restore_faces: false,
    face_restoration_model: null,
    sd_model_name: model,
    sd_model_hash: '',
    sd_vae_name: null,
    sd_vae_hash: null,
    seed_resize_from_w: -1,
    seed_resize_from_h: -1,
    denoising_strength: request.strength ?? request.upscale?.strength ?? null,
    extra_generation_params: {},
    index_of_first_image: 0,
    infotexts: images.map((image) => image.parameters),
    styles: [],
    job_timestamp: timestamp(Date.now()),
    clip_skip: (request.clipSkip ?? 0) + 1,
    is_using_inpainting_conditioning: false,
    version: 'sd',
  };
  return {
    images: send ? images.map(({ image }) => base64(image.bytes)) : [],
    parameters,
    info: JSON.stringify(info),
  };
}
