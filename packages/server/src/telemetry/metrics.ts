import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine } from '../engine.js';

/** Seconds: an image takes from a fraction of one to minutes. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];

export type Metrics = ReturnType<typeof createMetrics>;

/** A server's counters, in a registry of its own. */
export function createMetrics(engine: Engine) {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: (status: Awaited<ReturnType<Engine['status']>>) => number) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        // An engine that cannot be reached has no figures.
        const status = await engine.status().catch(() => undefined);
        if (status === undefined) this.reset();
        else this.set(read(status));
      },
    });
  gauge('sd_jobs_running', 'Jobs that are drawn now.', ({ running }) => running);
  gauge('sd_jobs_waiting', 'Jobs that wait.', ({ waiting }) => waiting);
  gauge('sd_models_loaded', 'Models in memory.', ({ loaded }) => loaded.length);
  return {
    registry,
    requests: new Counter({
      name: 'sd_http_requests_total',
      help: 'Requests by route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'sd_http_request_duration_seconds',
      help: 'Time until an answer begins; streams go on after it.',
      labelNames: ['method', 'route'],
      buckets,
      registers,
    }),
    jobs: new Counter({
      name: 'sd_jobs_total',
      help: 'Jobs by model and outcome: done, aborted, or the code of an error.',
      labelNames: ['model', 'outcome'],
      registers,
    }),
    waitSeconds: new Histogram({
      name: 'sd_job_wait_seconds',
      help: 'Time that jobs waited for their turn.',
      buckets,
      registers,
    }),
    drawSeconds: new Histogram({
      name: 'sd_job_draw_seconds',
      help: 'Time from the turn of a job to its end, with loading the model.',
      labelNames: ['model'],
      buckets,
      registers,
    }),
    images: new Counter({ name: 'sd_images_total', help: 'Finished images.', labelNames: ['model'], registers }),
    steps: new Counter({ name: 'sd_steps_total', help: 'Sampling steps.', labelNames: ['model'], registers }),
  };
}
