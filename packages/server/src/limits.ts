import { type OptionTable, whole } from '@sd/core/options';
import { HttpError, invalidField } from './http/http-error.js';

/** What one request may ask for. */
export interface Limits {
  /** Images of one request: 10 by default. */
  readonly count: number;
  /** 150 by default. */
  readonly steps: number;
  /** Width times height, 2048 x 2048 by default. A second, larger pass counts. */
  readonly pixels: number;
  /** Characters of a prompt: 32,000 by default, as for OpenAI's models. */
  readonly promptLength: number;
  /** Bytes of a request, with its images: 50 MiB by default. */
  readonly bodyBytes: number;
}

export const defaultLimits: Limits = {
  count: 10,
  steps: 150,
  pixels: 2048 * 2048,
  promptLength: 32_000,
  bodyBytes: 50 * 2 ** 20,
};

export const limitsTable: OptionTable<Limits> = {
  count: { ...whole(1), default: '10', text: 'Images of one request.' },
  steps: { ...whole(1), default: '150', text: 'Steps.' },
  pixels: { ...whole(64), default: '2048 x 2048', text: 'Width times height.' },
  promptLength: { ...whole(1), default: '32,000', text: 'Characters of a prompt.' },
  bodyBytes: { ...whole(1), default: '50 MiB', text: 'Bytes of a request.' },
};

/** The names of an API's fields for what is limited. */
export interface LimitedFields {
  readonly count: string;
  readonly steps: string;
  readonly size: string;
  readonly prompt: string;
  readonly negativePrompt: string;
}

export interface LimitedRequest {
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  readonly count?: number | undefined;
  readonly steps?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly upscale?: { readonly factor?: number; readonly width?: number; readonly height?: number; steps?: number };
}

/** The side that SDXL and Stable Diffusion 3 were trained on. */
const largestOwnSide = 1024;

/** Throws an HttpError that names the API's field for a request beyond the limits. */
export function checkLimits(request: LimitedRequest, limits: Limits, fields: LimitedFields): void {
  const atMost = (field: string, value: number | undefined, limit: number, what: string) => {
    if (value === undefined || value <= limit) return;
    throw invalidField(field, `${value} ${what} are more than this server's limit of ${limit}.`);
  };
  atMost(fields.count, request.count, limits.count, 'images');
  atMost(fields.steps, request.steps, limits.steps, 'steps');
  atMost(fields.steps, request.upscale?.steps, limits.steps, 'steps');
  const { upscale } = request;
  // A second pass may enlarge a size that the model chooses.
  const width = request.width ?? request.height ?? (upscale === undefined ? 0 : largestOwnSide);
  const height = request.height ?? width;
  atMost(fields.size, width * height, limits.pixels, 'pixels');
  if (upscale !== undefined) {
    const { factor = 1 } = upscale;
    atMost(
      fields.size,
      (upscale.width ?? width * factor) * (upscale.height ?? height * factor),
      limits.pixels,
      'pixels',
    );
  }
  for (const name of ['prompt', 'negativePrompt'] as const) {
    const length = request[name]?.length ?? 0;
    if (length <= limits.promptLength) continue;
    const message = `${fields[name]}: has ${length} characters, more than this server's limit of ${limits.promptLength}.`;
    throw new HttpError({ status: 400, code: 'string_above_max_length', message, param: fields[name] });
  }
}
