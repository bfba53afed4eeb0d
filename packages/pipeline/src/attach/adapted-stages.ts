import { InvalidOptionError, type StageResources, throwIfAborted } from '@sd/core';
import type { Stages } from '../stages.js';
import type { Adapter } from './adapter.js';
import { fusedControlNets } from './fused-controlnets.js';

/** The stages that adapters extend. */
const extendedParts = ['unet', 'textEncoder', 'textEncoder2'] as const;

type ExtendedPart = (typeof extendedParts)[number];

/** A stage of ours over a checkpoint; a stage of the caller's has nothing to extend, unless it has this. */
interface Extendable extends StageResources {
  withExtensions(extensions: readonly unknown[]): StageResources;
}

/** A pipeline's stages, with what is attached to them. */
export interface AdaptedStages {
  readonly stages: Stages;
  readonly adapters: readonly Adapter[];
  /**
   * Changes what is attached. Only stages whose extensions change are made anew: the session of the old one is freed before
   * that of the new one is made. If anything fails, all is as before.
   */
  replace(
    adapters: readonly Adapter[],
    options: { readonly load: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<void>;
  /** Frees all stages and adapters. */
  dispose(): Promise<void>;
}

export function adaptedStages(plain: Stages): AdaptedStages {
  let stages = plain;
  let adapters: readonly Adapter[] = fusedControlNets(plain.unet);

  return {
    get stages() {
      return stages;
    },
    get adapters() {
      return adapters;
    },
    async replace(next, { load, signal }) {
      const changed = extendedParts.filter((part) => !same(extensionsOf(part, adapters), extensionsOf(part, next)));
      const made = changed.map((part) => [part, extendedStage(plain, part, extensionsOf(part, next))] as const);
      for (const adapter of next) if (!adapters.includes(adapter)) adapter.check?.();

      await Promise.all(changed.map((part) => stages[part]?.release?.()));
      try {
        if (load) await Promise.all(made.map(([, stage]) => stage.load?.({ signal })));
        throwIfAborted(signal);
      } catch (error) {
        await Promise.all(made.map(([part, stage]) => (stage === plain[part] ? stage.release?.() : stage.dispose?.())));
        throw error;
      }
      const old = changed.map((part) => stages[part]).filter((stage, i) => stage !== plain[changed[i]!]);
      stages = { ...stages, ...Object.fromEntries(made) };
      adapters = next;
      await Promise.all(old.map((stage) => stage?.dispose?.()));
    },
    async dispose() {
      const held = new Set<StageResources | undefined>();
      for (const part of [...extendedParts, 'vae', 'previewVae'] as const) held.add(plain[part]).add(stages[part]);
      await Promise.all([...held, ...adapters].map((one) => one?.dispose?.()));
    },
  };
}

function extensionsOf(part: ExtendedPart, adapters: readonly Adapter[]): readonly unknown[] {
  return [...new Set(adapters.flatMap((adapter) => adapter[part] ?? []))];
}

function extendedStage(plain: Stages, part: ExtendedPart, extensions: readonly unknown[]): StageResources {
  const stage = plain[part];
  if (stage === undefined)
    throw new InvalidOptionError('attach', `is for a model with a ${part}, which this pipeline has not.`);
  if (extensions.length === 0) return stage;
  if ('withExtensions' in stage) return (stage as Extendable).withExtensions(extensions);
  throw new InvalidOptionError(
    'attach',
    `needs a ${part} that can be extended: an object with withExtensions(extensions).`,
  );
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
