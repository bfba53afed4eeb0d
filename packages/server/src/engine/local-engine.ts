import { BackendError, DisposedError, linkSignals, type Warning } from '@sd/core';
import { checkOptions } from '@sd/core/options';
import { machineMemory } from '@sd/pipeline';
import type { Engine, EngineEvent, Job, ModelInfo } from '../engine.js';
import { unknownModel } from '../unknown-model.js';
import { drawJob } from './draw-job.js';
import { type LocalEngineOptions, localTable } from './local-options.js';
import { attachLoras, listLoras } from './loras.js';
import { changedAt, type ListedModel, listModels } from './model-list.js';
import { createModelPool } from './model-pool.js';
import { createTurns } from './turns.js';

/** Draws with pipelines in this process. Throws an InvalidOptionError for unknown or impossible options. */
export function localEngine(options: LocalEngineOptions = {}): Engine {
  checkOptions(options, localTable, { of: 'localEngine()' });
  const { aliases = {}, load, memoryBudget = defaultBudget(), concurrency = 1, maxWaiting = 16, onLoad } = options;
  const pool = createModelPool({ memoryBudget, load, onLoad: (event) => onLoad?.(event) });
  const turns = createTurns({ concurrency, maxWaiting });
  const closing = new AbortController();

  async function modelNamed(name: string | undefined): Promise<ListedModel> {
    const models = await listModels(options.models);
    const wanted = name === undefined || !Object.hasOwn(aliases, name) ? name : aliases[name];
    const found = wanted === undefined ? models[0] : models.find((model) => model.name === wanted);
    if (found !== undefined) return found;
    throw unknownModel(name ?? 'default', models);
  }

  async function* run(job: Job, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
    const model = await modelNamed(job.model);
    const ticket = turns.enter(model.name);
    try {
      for await (const position of ticket.positions(signal)) yield { type: 'queued', position };
      yield { type: 'started', model: model.name };
      yield* drawWith(model, job, signal);
    } finally {
      ticket.leave();
    }
  }

  async function* drawWith(model: ListedModel, job: Job, signal: AbortSignal): AsyncGenerator<EngineEvent, void, void> {
    const lease = await pool.acquire(model, signal);
    try {
      const known = await listLoras(options.loras);
      const warnings = await attachLoras(lease.pipeline, job.request, known, signal);
      for await (const event of drawJob(lease.pipeline, job, signal)) yield withWarnings(event, warnings);
    } catch (error) {
      if (error instanceof BackendError && error.reason !== undefined && error.reason !== 'out-of-memory') {
        await lease.discard();
      }
      throw error;
    } finally {
      lease.release();
    }
  }

  return {
    async models() {
      const models = await listModels(options.models);
      const named = Object.entries(aliases).flatMap(([name, of]) =>
        models.filter((model) => model.name === of).map((model) => ({ ...model, name })),
      );
      return Promise.all([...models, ...named].map((model) => describe(model, pool.loaded)));
    },
    loras: () => listLoras(options.loras),
    async *run(job, signal) {
      if (closing.signal.aborted) throw new DisposedError('The engine');
      const linked = linkSignals(signal, closing.signal);
      try {
        yield* run(job, linked.signal);
      } finally {
        linked.unlink();
      }
    },
    async status() {
      const { running, waiting } = turns;
      return { isReady: !closing.signal.aborted, running, waiting, loaded: pool.loaded };
    },
    async close() {
      closing.abort(new DisposedError('The engine'));
      await pool.close();
    },
  };
}

async function describe({ name, place }: ListedModel, loaded: readonly string[]): Promise<ModelInfo> {
  return { name, place, created: await changedAt(place), isLoaded: loaded.includes(name) };
}

function withWarnings(event: EngineEvent, warnings: readonly Warning[]): EngineEvent {
  return event.type === 'done' ? { ...event, warnings: [...warnings, ...event.warnings] } : event;
}

function defaultBudget(): number {
  return 0.6 * machineMemory();
}
