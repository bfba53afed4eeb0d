import { builtInControlNets } from '@sd/adapters/controlnet/built-in';
import {
  type Extendable,
  InvalidOptionError,
  isExtendable,
  type StageResources,
  settleAll,
  throwIfAborted,
} from '@sd/core';
import type { Composition } from '../families/family.js';
import type { Stages } from '../stages.js';
import { componentsOf, withComponents } from './adapted-model.js';
import type { AttachedAdapter } from './attached-defaults.js';

/** What changes the graphs of components: an adapter, or an observer. */
type Extending = Pick<AttachedAdapter, 'extensions'>;

interface ReplaceOptions {
  readonly load: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A pipeline's stages with the attached adapters. */
export interface AdaptedStages {
  readonly stages: Stages;
  readonly composition: Composition;
  readonly adapters: readonly AttachedAdapter[];
  /**
   * Replaces the attached adapters. Only stages with other extensions than before are replaced, and the old session is
   * freed before the new one is created, since there may be no memory for both. If anything fails, nothing changes: the old
   * session is kept if the model's files are gone, since it could not be created again.
   */
  replace(adapters: readonly AttachedAdapter[], options: ReplaceOptions): Promise<void>;
  /** Adds extensions for good that no adapter brings, as `replace` does; does nothing if they were added before. */
  observe(observer: Extending, options: ReplaceOptions): Promise<void>;
  /** Frees all stages and adapters. */
  dispose(): Promise<void>;
}

export function adaptedStages(plain: Stages, composition: Composition): AdaptedStages {
  const plainComponents = componentsOf(plain, composition);
  let stages = plain;
  let adapters: readonly AttachedAdapter[] = builtInControlNets(plain.noisePredictor);
  let observers: readonly Extending[] = [];

  /** Replaces the stages whose extensions change from those of `before` to those of `after`. */
  async function change(
    before: readonly Extending[],
    after: readonly Extending[],
    check: () => void,
    options: ReplaceOptions,
  ) {
    const { load, signal } = options;
    const changed = changedComponents(before, after);
    const replacements = new Map(
      changed.map((component) => [
        component,
        extendedStage(plainComponents, component, extensionsOf(component, after)),
      ]),
    );
    check();

    const created = [...replacements.values()];
    await settleAll(created.map((stage) => () => stage.checkFiles?.()));
    const components = componentsOf(stages, composition);
    const previous = changed.map((component) => components.get(component));
    await settleAll(previous.map((stage) => () => stage?.release?.()));
    const plainStages = new Set<StageResources | undefined>(plainComponents.values());
    try {
      if (load) await settleAll(created.map((stage) => () => stage.load?.({ signal })));
      throwIfAborted(signal);
    } catch (error) {
      await settleAll(created.map((stage) => () => (plainStages.has(stage) ? stage.release?.() : stage.dispose?.())));
      throw error;
    }
    stages = withComponents(stages, composition, replacements);
    return async () => {
      await settleAll(previous.map((stage) => () => (plainStages.has(stage) ? undefined : stage?.dispose?.())));
    };
  }

  return {
    composition,
    get stages() {
      return stages;
    },
    get adapters() {
      return adapters;
    },
    async replace(next, options) {
      const checkNew = () => {
        for (const adapter of next) if (!adapters.includes(adapter)) adapter.check?.();
      };
      const disposePrevious = await change([...adapters, ...observers], [...next, ...observers], checkNew, options);
      adapters = next;
      await disposePrevious();
    },
    async observe(observer, options) {
      if (observers.includes(observer)) return;
      const next = [...observers, observer];
      const disposePrevious = await change([...adapters, ...observers], [...adapters, ...next], () => {}, options);
      observers = next;
      await disposePrevious();
    },
    async dispose() {
      const held = new Set<StageResources | undefined>([
        ...plainComponents.values(),
        ...componentsOf(stages, composition).values(),
      ]);
      held.add(plain.vae).add(plain.previewVae);
      await settleAll([...held, ...adapters].map((stage) => () => stage?.dispose?.()));
    },
  };
}

function changedComponents(before: readonly Extending[], after: readonly Extending[]): string[] {
  const components = new Set([...before, ...after].flatMap(({ extensions }) => Object.keys(extensions)));
  return [...components].filter((component) => {
    const [old, next] = [extensionsOf(component, before), extensionsOf(component, after)];
    return old.length !== next.length || old.some((extension, i) => extension !== next[i]);
  });
}

function extensionsOf(component: string, extending: readonly Extending[]): readonly unknown[] {
  return [...new Set(extending.flatMap(({ extensions }) => extensions[component] ?? []))];
}

function extendedStage(
  plain: ReadonlyMap<string, StageResources>,
  component: string,
  extensions: readonly unknown[],
): StageResources & Pick<Extendable, 'checkFiles'> {
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
