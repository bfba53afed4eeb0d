import { CheckpointError, sizeOf } from '@sd/core';
import type { AdaptedLayer, Graph, LayerExtension, Value } from '@sd/graph';
import { reshapeView, type WeightsFile } from '@sd/weights';
import type { ModelFamily } from '../family.js';
import { dora } from './dora.js';
import { type Origin, originOf } from './family.js';
import type { Branch, Fit } from './fit.js';
import { loha } from './loha.js';
import { lokr } from './lokr.js';
import { lora } from './low-rank.js';
import { type ModuleSettings, readSettings } from './metadata.js';
import { type Algorithm, type LoraModule, readModules } from './modules.js';
import { type LoraComponent, loraComponents } from './names.js';
import { originalModules } from './original-names.js';

/**
 * An opened LoRA or one of its kin: an extension for each component of a model that it changes. They can be attached to any
 * number of models in turn; the strength is the input `strength.<name>` of each.
 */
export interface Lora {
  readonly name: string;
  /** Id of the family of models that it is for, as far as its tensors tell. */
  readonly family: string | undefined;
  /** By diffusers' names of the components: `unet`, `text_encoder`, `text_encoder_2`. */
  readonly extensions: Readonly<Partial<Record<LoraComponent, LayerExtension>>>;
  /** Names of the tensors in the file that belong to no module of these components. */
  readonly unusedTensors: readonly string[];
  /** Throws a CheckpointError where the file changes a component that is not among these. */
  expectComponents(components: Iterable<string>): void;
  /** The file's names of the modules that found no layer in the graphs that were last written with these extensions. */
  unmatched(): readonly string[];
  /** To be called once the graphs are written: throws a CheckpointError where a component has none of the layers for it. */
  check(): void;
}

export interface OpenLoraOptions {
  /** Its name among those of one model, for its input `strength.<name>`. */
  readonly name: string;
  /** The supported families, one of which the file is for. */
  readonly families?: readonly ModelFamily[];
}

const algorithms: Readonly<Record<Algorithm, (g: Graph, fit: Fit) => Branch>> = { lora, loha, lokr };

const titles: Readonly<Record<LoraComponent, string>> = {
  unet: 'U-Net',
  transformer: 'transformer',
  text_encoder: 'text encoder',
  text_encoder_2: 'second text encoder',
  text_encoder_3: 'third text encoder',
};

/** A component in messages: `second text encoder`. */
export function componentTitle(component: string): string {
  return Object.hasOwn(titles, component) ? titles[component as LoraComponent] : component;
}

interface Extension extends LayerExtension {
  readonly component: LoraComponent;
  readonly modules: readonly LoraModule[];
  unmatched(): readonly LoraModule[];
}

/**
 * Opens a LoRA, LoHa, LoKr or DoRA as users have them: diffusers' and PEFT's names, old ones included, kohya's and
 * LyCORIS's, by diffusers' or the original code's modules. No weights are read.
 *
 * Throws a CheckpointError, and an UnsupportedError for another algorithm or a model that this project has no graphs for.
 * Writing a graph with an extension throws a CheckpointError where the file is for another model, with the first tensor that
 * does not fit.
 */
export function openLora({ path, tensors, metadata }: WeightsFile, { name, families = [] }: OpenLoraOptions): Lora {
  const { modules, unused } = readModules(path, tensors);
  const file = { path, name, settings: readSettings(metadata), origin: originOf(modules, metadata, families) };
  const extensions = loraComponents.flatMap((component) => {
    const members = modules.filter((module) => module.component === component);
    return members.length === 0 ? [] : [extensionOf(file, component, members)];
  });
  return {
    name,
    family: file.origin.family,
    extensions: Object.fromEntries(extensions.map((extension) => [extension.component, extension])),
    unusedTensors: unused,
    expectComponents(components) {
      const present = new Set(components);
      const other = extensions.find(({ component }) => !present.has(component));
      if (other !== undefined) throw lacksComponent(file, other);
    },
    unmatched: () => extensions.flatMap((extension) => extension.unmatched().map(({ written }) => written)),
    check() {
      for (const extension of extensions) {
        if (extension.unmatched().length === extension.modules.length) throw matchesNothing(file, extension);
      }
    },
  };
}

interface LoraFile {
  readonly path: string;
  readonly name: string;
  readonly origin: Origin;
  readonly settings: (component: LoraComponent, module: string) => ModuleSettings;
}

function extensionOf(file: LoraFile, component: LoraComponent, modules: readonly LoraModule[]): Extension {
  const byModule = new Map(modules.map((module) => [module.module, module]));
  let left: ReadonlySet<LoraModule> = new Set();
  return {
    name: file.name,
    component,
    modules,
    unmatched: () => [...left],
    extend(g) {
      const strength = g.optionalInput(`strength.${file.name}`, [1]);
      const original = component === 'unet' ? originalModules() : () => [];
      const scales = new Map<number, Value>([[1, strength]]);
      const missing = new Set(modules);
      left = missing;
      return {
        layer(layer) {
          const name = layer.module.replaceAll('.', '_');
          const found = [name, ...original(name)]
            .map((key) => byModule.get(key))
            .find((module) => module !== undefined);
          if (found === undefined) return layer.output;
          missing.delete(found);
          const fit = fitOf(g, file, { module: found, layer, strength, scales });
          return dora(g, fit, algorithms[found.algorithm](g, fit));
        },
      };
    },
  };
}

interface Meeting {
  readonly module: LoraModule;
  readonly layer: AdaptedLayer;
  readonly strength: Value;
  /** The strength times a number, by the number. */
  readonly scales: Map<number, Value>;
}

function fitOf(g: Graph, { path, origin, settings }: LoraFile, { module, layer, strength, scales }: Meeting): Fit {
  const { tensors, component } = module;
  return {
    layer,
    tensors,
    strength,
    scaled(rank) {
      const alpha = tensors.get('alpha');
      const { alpha: saved = rank, rankStabilized } = settings(component, module.module);
      const divisor = rankStabilized ? Math.sqrt(rank) : rank;
      if (alpha !== undefined && sizeOf(alpha.shape) === 1) {
        return g.mul(strength, g.mul(g.weight(reshapeView(alpha, [1])), g.constant([1 / divisor])));
      }
      const factor = saved / divisor;
      const scale = scales.get(factor) ?? g.mul(strength, g.constant([factor]));
      scales.set(factor, scale);
      return scale;
    },
    misfit(view) {
      const layerSize = `${layer.module}, [${layer.weight.shape.join(', ')}]`;
      return new CheckpointError(
        'misshapen-tensor',
        path,
        `is for another model: its tensor ${view.name} of shape [${view.shape.join(', ')}] does not fit the ${titles[component]}’s ${layerSize}.${origin.sentence}`,
        { tensor: view.name },
      );
    },
  };
}

function lacksComponent({ path, origin }: LoraFile, { component, modules }: Extension): CheckpointError {
  const tensor = firstTensor(modules);
  return new CheckpointError(
    'missing-tensor',
    path,
    `is for another model: its tensor ${tensor} is for a ${titles[component]}, which this model does not have.${origin.sentence}`,
    { tensor },
  );
}

function matchesNothing({ path, origin }: LoraFile, { component, modules }: Extension): CheckpointError {
  const tensor = firstTensor(modules);
  return new CheckpointError(
    'missing-tensor',
    path,
    `changes nothing: the ${titles[component]} has none of its ${modules.length} modules, of which the first is ${modules[0].written}.${origin.sentence}`,
    { tensor },
  );
}

/** Every module has a tensor. */
function firstTensor([{ tensors }]: readonly LoraModule[]): string {
  const [{ name }] = tensors.values();
  return name;
}
