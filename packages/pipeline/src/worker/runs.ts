import { DisposedError } from '@sd/core';
import type { GenerateResult, PipelineEvent } from '../generate/events.js';
import type { GenerateOptions } from '../generate/options/index.js';
import type { Pipeline } from '../pipeline.js';

interface Run {
  readonly events: AsyncGenerator<PipelineEvent, GenerateResult, void>;
  readonly abort: AbortController;
}

/** The next event of a run, or its result at the end. */
export type NextEvent = { readonly event: PipelineEvent } | { readonly result: GenerateResult };

/** The runs that a page has started, by its numbers for them. A run proceeds only when the page asks for its next event. */
export interface Runs {
  next(run: number, options: GenerateOptions | undefined, signal: AbortSignal): Promise<NextEvent>;
  end(run: number): Promise<void>;
}

export function createRuns(pipeline: Pick<Pipeline, 'stream'>): Runs {
  const runs = new Map<number, Run>();

  function start(run: number, options: GenerateOptions): Run {
    const abort = new AbortController();
    const started = { events: pipeline.stream({ ...options, signal: abort.signal }), abort };
    runs.set(run, started);
    return started;
  }

  return {
    async next(run, options, signal) {
      const current = options === undefined ? runs.get(run) : start(run, options);
      if (current === undefined) throw new DisposedError('The run');
      const onAbort = () => current.abort.abort(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort);
      try {
        const { done, value } = await current.events.next();
        if (!done) return { event: value };
        runs.delete(run);
        return { result: value };
      } catch (error) {
        runs.delete(run);
        throw error;
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
    async end(run) {
      const current = runs.get(run);
      runs.delete(run);
      current?.abort.abort();
      await current?.events.return(undefined as never).catch(() => undefined);
    },
  };
}
