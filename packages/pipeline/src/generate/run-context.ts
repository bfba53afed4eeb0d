import type { AttentionMaps } from '@sd/unet/attention';
import type { RunAdapters } from '../attach/run-adapters.js';
import type { Stages } from '../stages.js';
import type { ModelTraits } from './model-traits.js';
import type { ParsedPrompts } from './prompts/index.js';
import type { Request } from './request.js';

/** Everything that the parts of a run share. */
export interface Run {
  readonly stages: Stages;
  readonly request: Request;
  readonly prompts: ParsedPrompts;
  readonly traits: ModelTraits;
  readonly adapters: RunAdapters;
  /** The attention among the noise predictor's outputs; undefined unless the run asks for maps of it. */
  readonly attention?: AttentionMaps | undefined;
  /** Whether each stage is freed after use. */
  readonly releaseStages: boolean;
  /** Milliseconds spent so far. */
  readonly timings: { encode: number; denoise: number; decode: number };
}
