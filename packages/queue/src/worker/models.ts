import { settleAll, type Warning } from '@sd/core';
import { type LoadPipelineOptions, loadPipeline, type Pipeline } from '@sd/pipeline';
import { jobVersion, laneOf, type Needs } from '../job.js';

/** A model of a worker: what `loadPipeline` takes. Without a place, the embedded model. */
export interface WorkerModel {
  readonly place?: Parameters<typeof loadPipeline>[0];
  readonly options?: LoadPipelineOptions;
}

export interface ModelsOptions {
  readonly models: Readonly<Record<string, WorkerModel>>;
  readonly loras: Readonly<Record<string, Parameters<Pipeline['attach']>[0]>>;
  /** How many models stay in memory. */
  readonly maxLoaded: number;
}

/** A model in memory, with the LoRAs of a job. */
export interface Ready {
  readonly pipeline: Pipeline;
  /** From attaching LoRAs. */
  readonly warnings: readonly Warning[];
}

/** How long a lane is left to other workers after what it needs could not be loaded here. */
const brokenMs = 60_000;

/** The models of a worker. They are used by one job at a time. */
export function createModels({ models, loras, maxLoaded }: ModelsOptions) {
  /** The one used longest ago first. */
  const loaded = new Map<string, Pipeline>();
  const brokenUntil = new Map<string, number>();

  async function pipelineOf(model: string, signal: AbortSignal): Promise<Pipeline> {
    const known = loaded.get(model);
    if (known !== undefined) {
      loaded.delete(model);
      loaded.set(model, known);
      return known;
    }
    for (const [name, pipeline] of loaded) {
      if (loaded.size < maxLoaded) break;
      loaded.delete(name);
      await pipeline.dispose();
    }
    const { place, options } = models[model];
    const pipeline = await loadPipeline(place, { ...options, signal });
    loaded.set(model, pipeline);
    return pipeline;
  }

  async function attachOnly(pipeline: Pipeline, wanted: readonly string[], signal: AbortSignal): Promise<Warning[]> {
    const attached = pipeline.attached.map(({ name }) => name);
    for (const name of attached) if (Object.hasOwn(loras, name) && !wanted.includes(name)) await pipeline.detach(name);
    const warnings: Warning[] = [];
    for (const name of wanted) {
      if (attached.includes(name)) continue;
      const result = await pipeline.attach(loras[name], { name, kind: 'lora', signal });
      warnings.push(...result.warnings);
    }
    return warnings;
  }

  return {
    names: Object.keys(models),
    loras: Object.keys(loras),
    get loaded(): readonly string[] {
      return [...loaded.keys()];
    },
    /** Whether this worker can draw such jobs. */
    fits(needs: Needs): boolean {
      const { version, model, loras: needed } = needs;
      return (
        version === jobVersion &&
        Object.hasOwn(models, model) &&
        needed.every((name) => Object.hasOwn(loras, name)) &&
        (brokenUntil.get(laneOf(needs)) ?? 0) < Date.now()
      );
    },
    /** How little there is to load: 0 for a model, 1 for LoRAs, 2 for nothing. */
    affinity({ model, loras: needed }: Needs): number {
      const pipeline = loaded.get(model);
      if (pipeline === undefined) return 0;
      const attached = pipeline.attached.map(({ name }) => name).filter((name) => Object.hasOwn(loras, name));
      return attached.length === needed.length && needed.every((name) => attached.includes(name)) ? 2 : 1;
    },
    /** Loads what a job needs. After a failure, such jobs are left to others for a while. */
    async prepare(needs: Needs, signal: AbortSignal): Promise<Ready> {
      try {
        const pipeline = await pipelineOf(needs.model, signal);
        return { pipeline, warnings: await attachOnly(pipeline, needs.loras, signal) };
      } catch (error) {
        if (!signal.aborted) brokenUntil.set(laneOf(needs), Date.now() + brokenMs);
        throw error;
      }
    },
    async dispose(): Promise<void> {
      const all = [...loaded.values()];
      loaded.clear();
      await settleAll(all.map((pipeline) => () => pipeline.dispose()));
    },
  };
}

export type Models = ReturnType<typeof createModels>;
