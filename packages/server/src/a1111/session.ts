import type { EncodedImage } from '../engine.js';
import type { A1111Options } from './options.js';

/** A run, as `/progress` shows it. */
export interface A1111Run {
  /** How many images it has, the index of the current one, and its steps. */
  readonly count: number;
  index: number;
  step: number;
  steps: number;
  preview?: EncodedImage | undefined;
  readonly startedAt: number;
  /** Ends the run after the images that are finished, or goes on with the next one. */
  stop: 'interrupt' | 'skip' | undefined;
  abort(): void;
}

/** What all clients of A1111's API share: its settings, and the run that is drawn now. */
export interface A1111Session {
  options: A1111Options;
  run?: A1111Run | undefined;
}

/** What `/progress` answers. */
export function progressOf({ run }: A1111Session, withImage: boolean): object {
  const state = {
    skipped: run?.stop === 'skip',
    interrupted: run?.stop === 'interrupt',
    stopping_generation: false,
    job: run === undefined ? '' : `Batch ${run.index + 1} out of ${run.count}`,
    job_count: run?.count ?? 0,
    job_timestamp: timestamp(run?.startedAt ?? Date.now()),
    job_no: run?.index ?? 0,
    sampling_step: run?.step ?? 0,
    sampling_steps: run?.steps ?? 0,
  };
  if (run === undefined) return { progress: 0, eta_relative: 0, state, current_image: null, textinfo: null };
  const done = (run.index + run.step / Math.max(1, run.steps)) / run.count;
  const seconds = (Date.now() - run.startedAt) / 1000;
  return {
    progress: Math.min(done, 1),
    eta_relative: done === 0 ? 0 : seconds / done - seconds,
    state,
    current_image: withImage && run.preview !== undefined ? base64(run.preview.bytes) : null,
    textinfo: null,
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** As A1111 writes it: 20261128174500. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14);
}
