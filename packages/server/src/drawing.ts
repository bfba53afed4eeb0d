import { context } from '@opentelemetry/api';
import { linkSignals, SdError } from '@sd/core';
import type { Engine, EngineEvent, Job } from './engine.js';
import type { Metrics } from './telemetry/metrics.js';
import { failSpan, startSpan } from './telemetry/traced.js';

/** Draws jobs with an engine, counts and traces them, and ends them all when the server has to stop. */
export function createDrawing(engine: Engine, metrics: Metrics) {
  const stopping = new AbortController();
  const running = new Set<object>();
  let onIdle = () => {};

  async function* draw(
    { model, ...rest }: Omit<Job, 'id'>,
    request: Request,
    signal?: AbortSignal,
  ): AsyncGenerator<EngineEvent, void, void> {
    const job: Job = { ...rest, model, id: crypto.randomUUID() };
    const { signal: linked, unlink } = linkSignals(request.signal, signal, stopping.signal);
    running.add(job);
    try {
      yield* observed(engine.run(job, linked), job, metrics);
    } finally {
      unlink();
      running.delete(job);
      if (running.size === 0) onIdle();
    }
  }

  return {
    draw,
    /** Waits until no job runs, for at most so long, and then ends those that do. */
    async drain(milliseconds: number): Promise<void> {
      const idle = new Promise<void>((resolve) => {
        onIdle = resolve;
        if (running.size === 0) resolve();
      });
      const timer = setTimeout(() => stopping.abort(), milliseconds);
      await idle;
      clearTimeout(timer);
    },
  };
}

async function* observed(
  events: AsyncIterable<EngineEvent>,
  { id, model: wanted, request }: Job,
  metrics: Metrics,
): AsyncGenerator<EngineEvent, void, void> {
  const span = startSpan('draw', context.active());
  span.setAttributes({ 'sd.job': id, 'sd.count': request.count ?? 1, 'sd.has_image': request.image !== undefined });
  const enteredAt = performance.now();
  let startedAt: number | undefined;
  let model = wanted ?? '';
  let outcome = 'aborted';
  try {
    for await (const event of events) {
      if (event.type === 'started') {
        startedAt = performance.now();
        model = event.model;
        span.setAttribute('sd.model', model).addEvent('started');
        metrics.waitSeconds.observe((startedAt - enteredAt) / 1000);
      }
      if (event.type === 'step') metrics.steps.inc({ model });
      if (event.type === 'image') metrics.images.inc({ model });
      if (event.type === 'done') outcome = 'done';
      yield event;
    }
  } catch (error) {
    outcome = SdError.isInstance(error) ? error.code : 'internal-error';
    failSpan(span, error);
    throw error;
  } finally {
    // A model that does not exist is no label: clients choose the names.
    metrics.jobs.inc({ model: startedAt === undefined ? '' : model, outcome });
    if (startedAt !== undefined) metrics.drawSeconds.observe({ model }, (performance.now() - startedAt) / 1000);
    span.setAttribute('sd.outcome', outcome).end();
  }
}
