import type { RunAdapters } from '../attach/run-adapters.js';
import type { Stages } from '../stages.js';
import type { ModelTraits } from './model-traits.js';
import type { ParsedPrompts } from './prompts/index.js';
import type { Request } from './request.js';

/** One request, as everything that happens in it sees it. */
export interface Run {
  readonly stages: Stages;
  readonly request: Request;
  readonly prompts: ParsedPrompts;
  readonly traits: ModelTraits;
  readonly adapters: RunAdapters;
  /** Frees each stage after its use. */
  readonly releaseStages: boolean;
  /** Milliseconds spent so far. */
  readonly timings: { encode: number; denoise: number; decode: number };
}
