import { callersCode, linkSignals, untilAborted } from '@sd/core';
import type { CallbackScope } from './callback-scope.js';
import type { GenerateResult, PipelineEvent, StepEvent } from './generate/events.js';

export interface NotifyOptions {
  readonly onStep: ((step: StepEvent) => void | Promise<void>) | undefined;
  readonly callbacks: CallbackScope;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Runs to the end, and calls back after every step. If the callback throws, ends the run, then rethrows its error. The wait
 * for a callback ends with an AbortError when one of the signals is aborted.
 */
export async function notifySteps(
  events: AsyncGenerator<PipelineEvent, GenerateResult, void>,
  { onStep, callbacks, signals }: NotifyOptions,
): Promise<GenerateResult> {
  try {
    for (;;) {
      const { done, value } = await events.next();
      if (done) return value;
      if (value.type === 'step' && onStep !== undefined)
        await callBack(() => callbacks.run(() => onStep(value)), signals);
    }
  } finally {
    await events.return(undefined as never);
  }
}

async function callBack(callback: () => Promise<void>, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  const { signal, unlink } = linkSignals(...signals);
  try {
    await untilAborted(callersCode(callback), signal);
  } finally {
    unlink();
  }
}
