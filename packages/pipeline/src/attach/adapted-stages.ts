import { type Adapter, builtInControlNets } from '@sd/adapters';
import { InvalidOptionError, isExtendable, type StageResources, throwIfAborted } from '@sd/core';
import type { Composition } from '../families/family.js';
import type { Stages } from '../stages.js';
import { componentsOf, withComponents } from './adapted-model.js';

/** A pipeline's stages, with the adapters that are attached to them. */
export interface AdaptedStages {
  readonly stages: Stages;
  readonly composition: Composition;
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

export function adaptedStages(plain: Stages, composition: Composition): AdaptedStages {
  const plainComponents = componentsOf(plain, composition);
  let stages = plain;
  let adapters: readonly Adapter[] = builtInControlNets(plain.noisePredictor);

  return {
    composition,
    get stages() {
      return stages;
    },
    get adapters() {
      return adapters;
    },
    async replace(next, { load, signal }) {
      const changed = changedComponents(adapters, next);
      const made = changed.map((component) => {
        return [component, extendedStage(plainComponents, component, extensionsOf(component, next))] as const;
      });
      for (const adapter of next) if (!adapters.includes(adapter)) adapter.check?.();

      const components = componentsOf(stages, composition);
      await Promise.all(changed.map((component) => components.get(component)?.release?.()));
      const isPlain = (component: string, stage: StageResources | undefined) =>
        stage === plainComponents.get(component);
      try {
        if (load) await Promise.all(made.map(([, stage]) => stage.load?.({ signal })));
        throwIfAborted(signal);
      } catch (error) {
        await Promise.all(
          made.map(([component, stage]) => (isPlain(component, stage) ? stage.release?.() : stage.dispose?.())),
        );
        throw error;
      }
      stages = withComponents(stages, composition, new Map(made));
      adapters = next;
      await Promise.all(
        changed.map((component) => {
          const old = components.get(component);
          return isPlain(component, old) ? undefined : old?.dispose?.();
        }),
      );
    },
    async dispose() {
      const held = new Set<StageResources | undefined>([
        ...plainComponents.values(),
        ...componentsOf(stages, composition).values(),
      ]);
      held.add(plain.vae).add(plain.previewVae);
      await Promise.all([...held, ...adapters].map((stage) => stage?.dispose?.()));
    },
  };
}

function changedComponents(before: readonly Adapter[], after: readonly Adapter[]): string[] {
  const components = new Set([...before, ...after].flatMap(({ extensions }) => Object.keys(extensions)));
  return [...components].filter((component) => {
    const [old, next] = [extensionsOf(component, before), extensionsOf(component, after)];
    return old.length !== next.length || old.some((extension, i) => extension !== next[i]);
  });
}

function extensionsOf(component: string, adapters: readonly Adapter[]): readonly unknown[] {
  return [...new Set(adapters.flatMap(({ extensions }) => extensions[component] ?? []))];
}

function extendedStage(
  plain: ReadonlyMap<string, StageResources>,
  component: string,
  extensions: readonly unknown[],
): StageResources {
  const stage = plain.get(component);
  if (stage === undefined) {
    throw new InvalidOptionError('attach', `is for a model with a ${component}, which this pipeline does not have.`);
  }
  if (extensions.length === 0) return stage;
  if (isExtendable(stage)) return stage.withExtensions(extensions);
  throw new InvalidOptionError(
    'attach',
    `needs a ${component} that can be extended: an object with withExtensions(extensions).`,
  );
}
