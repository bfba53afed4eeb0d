import { AbortError, linkSignals, SdError, untilAborted } from '@sd/core';
import type { SdImage } from '@sd/image';
import type { GenerateOptions, GenerateResult } from '@sd/pipeline';
import type { Model, ModelState } from './model.js';
import type { ModelUse } from './models.js';
import { type Observable, observable } from './observable.js';

export interface RunState {
  readonly isDrawing: boolean;
  /** The last step that the run has taken. Steps and images count from 0. */
  readonly step?: { readonly step: number; readonly steps: number; readonly index: number } | undefined;
  /** A small image of the unfinished one. */
  readonly preview?: SdImage | undefined;
  /** What the last run that finished has drawn. */
  readonly result?: GenerateResult | undefined;
  /** Why the last run failed; a run that was aborted has not. */
  readonly error?: Error | undefined;
}

export interface DrawingState extends Omit<ModelState, 'status'>, Omit<RunState, 'isDrawing'> {
  readonly status: ModelState['status'] | 'drawing';
}

/** One user's runs of a model: the latest counts. */
export interface Drawing {
  readonly state: Observable<DrawingState>;
  /** Takes a model over, which is given back by `disconnect`. */
  connect(use: ModelUse, load: boolean): void;
  /** Ends the run. */
  disconnect(): void;
  /**
   * Draws, and ends this user's earlier run. Resolves with undefined if it fails, which the state tells, or is aborted.
   */
  generate(options: GenerateOptions, previewEvery?: number): Promise<GenerateResult | undefined>;
  abort(): void;
}

const still: RunState = { isDrawing: false };

export function createDrawing(): Drawing {
  const run = observable<RunState>(still);
  const state = observable<DrawingState>(merged(undefined, still));
  const update = () => state.change(merged(used?.model.state.current, run.current));
  let used: ModelUse | undefined;
  let unsubscribe: (() => void) | undefined;
  let current: AbortController | undefined;
  run.subscribe(update);

  async function generate(given: GenerateOptions, previewEvery = 1): Promise<GenerateResult | undefined> {
    current?.abort();
    const own = new AbortController();
    current = own;
    const change = (fields: Partial<RunState>) => {
      if (current === own) run.change(fields);
    };
    const { signal, unlink } = linkSignals(given?.signal, own.signal);
    change({ isDrawing: true, step: undefined, preview: undefined, error: undefined });
    try {
      const result = await draw(used?.model, { ...given, signal }, previewEvery, change);
      change({ result });
      return result;
    } catch (error) {
      if (!(error instanceof AbortError) && used?.model.state.current.status !== 'failed')
        change({ error: error as Error });
      return undefined;
    } finally {
      unlink();
      change({ isDrawing: false, step: undefined, preview: undefined });
      if (current === own) current = undefined;
    }
  }

  return {
    state,
    generate,
    abort: () => current?.abort(),
    connect(use, load) {
      used = use;
      unsubscribe = use.model.state.subscribe(update);
      // A failure is in the model's state.
      if (load) use.model.load().catch(() => undefined);
      update();
    },
    disconnect() {
      current?.abort();
      unsubscribe?.();
      used?.end();
      used = undefined;
      update();
    },
  };
}

async function draw(
  model: Model | undefined,
  options: GenerateOptions,
  previewEvery: number,
  change: (fields: Partial<RunState>) => void,
): Promise<GenerateResult> {
  if (model === undefined)
    throw new SdError('disposed', 'There is no model to draw with: the component is not in a page.');
  const pipeline = await untilAborted(model.load(), options.signal);
  return pipeline.generate({
    ...options,
    async onStep(event) {
      const { step, steps, index } = event;
      change({ step: { step, steps, index } });
      await options.onStep?.(event);
      if (previewEvery > 0 && (step + 1) % previewEvery === 0 && step + 1 < steps) {
        change({ preview: await event.preview() });
      }
    },
  });
}

const noModel: ModelState = { status: 'idle', download: { loaded: 0, size: 0 }, warnings: [] };

function merged(model: ModelState = noModel, { isDrawing, error, ...run }: RunState): DrawingState {
  const status = isDrawing && model.status === 'ready' ? 'drawing' : model.status;
  return { ...model, ...run, status, error: error ?? model.error };
}
