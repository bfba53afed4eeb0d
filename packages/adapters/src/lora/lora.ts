import { CheckpointError, type Source, sizeOf } from '@sd/core';
import type { AdaptedLayer, Graph, LayerExtension, Value } from '@sd/graph';
import { openWeights, reshapeView } from '@sd/weights';
import { dora } from './dora.js';
import { type LoraFamily, type Origin, originOf } from './family.js';
import type { Branch, Fit } from './fit.js';
import { loha } from './loha.js';
import { lokr } from './lokr.js';
import { lora } from './low-rank.js';
import { type ModuleSettings, readSettings } from './metadata.js';
import { type Algorithm, type LoraModule, readModules } from './modules.js';
import { type LoraPart, loraParts } from './names.js';
import { originalModules } from './original-names.js';

/**
 * An opened file of LoRA or its kin: an extension for each model that it changes. They can be attached to any number of
 * models in turn; the strength is the input `strength.<name>` of each.
 */
export interface Lora {
  readonly name: string;
  /** The family of models that it is for, as far as its tensors tell. */
  readonly family: LoraFamily | undefined;
  readonly unet?: LayerExtension;
  readonly textEncoder?: LayerExtension;
  readonly textEncoder2?: LayerExtension;
  /** Names of the tensors in the file that are of no module of these models. */
  readonly unusedTensors: readonly string[];
  /** Throws a CheckpointError where the file changes a model that is not among these. */
  expectParts(parts: Iterable<string>): void;
  /** The file's names of the modules that found no layer in the graphs that were last written with these extensions. */
  unmatched(): readonly string[];
  /** To be called once the graphs are written: throws a CheckpointError where a model has none of the layers for it. */
  check(): void;
}

export interface OpenLoraOptions {
  /** Its name among those of one model, for its input `strength.<name>`. */
  readonly name: string;
}

const algorithms: Readonly<Record<Algorithm, (g: Graph, fit: Fit) => Branch>> = { lora, loha, lokr };

const titles: Readonly<Record<LoraPart, string>> = {
  unet: 'U-Net',
  textEncoder: 'text encoder',
  textEncoder2: 'second text encoder',
};

interface Extension extends LayerExtension {
  readonly part: LoraPart;
  readonly modules: readonly LoraModule[];
  unmatched(): readonly LoraModule[];
}

/**
 * Opens a LoRA, LoHa, LoKr or DoRA of Stable Diffusion or SDXL as users have them: diffusers' and PEFT's names, old ones
 * included, kohya's and LyCORIS's, by diffusers' or the original code's modules. Reads the header, no weights.
 *
 * Throws SourceError, CheckpointError, and UnsupportedError for another algorithm or a model without a U-Net. Writing a
 * graph with an extension throws a CheckpointError where the file is for another model, with the first tensor that does
 * not fit.
 */
export async function openLora(source: Source, path: string, { name }: OpenLoraOptions): Promise<Lora> {
  const { tensors, metadata } = await openWeights(source, path);
  const { modules, unused } = readModules(path, tensors);
  const file = { path, name, settings: readSettings(metadata), origin: originOf(modules, metadata) };
  const extensions = loraParts.flatMap((part) => {
    const own = modules.filter((one) => one.part === part);
    return own.length === 0 ? [] : [extensionOf(file, part, own)];
  });
  return {
    name,
    family: file.origin.family,
    ...Object.fromEntries(extensions.map((extension) => [extension.part, extension])),
    unusedTensors: unused,
    expectParts(parts) {
      const present = new Set(parts);
      const other = extensions.find(({ part }) => !present.has(part));
      if (other !== undefined) throw hasNoPart(file, other.part, other.modules);
    },
    unmatched: () => extensions.flatMap((extension) => extension.unmatched().map(({ written }) => written)),
    check() {
      for (const { part, modules: own, unmatched } of extensions) {
        if (unmatched().length === own.length) throw matchesNothing(file, part, own);
      }
    },
  };
}

interface LoraFile {
  readonly path: string;
  readonly name: string;
  readonly origin: Origin;
  readonly settings: (part: LoraPart, module: string) => ModuleSettings;
}

function extensionOf(file: LoraFile, part: LoraPart, modules: readonly LoraModule[]): Extension {
  const byModule = new Map(modules.map((one) => [one.module, one]));
  let left: ReadonlySet<LoraModule> = new Set();
  return {
    name: file.name,
    part,
    modules,
    unmatched: () => [...left],
    extend(g) {
      const strength = g.optionalInput(`strength.${file.name}`, [1]);
      const original = part === 'unet' ? originalModules() : () => [];
      const scales = new Map<number, Value>([[1, strength]]);
      const missing = new Set(modules);
      left = missing;
      return {
        layer(layer) {
          const name = layer.module.replaceAll('.', '_');
          const found = [name, ...original(name)].map((one) => byModule.get(one)).find((one) => one !== undefined);
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
  const { tensors, part } = module;
  return {
    layer,
    tensors,
    strength,
    scaled(rank) {
      const alpha = tensors.get('alpha');
      const { alpha: saved = rank, rankStabilized } = settings(part, module.module);
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
        `is for another model: its tensor ${view.name} of shape [${view.shape.join(', ')}] does not fit the ${titles[part]}’s ${layerSize}.${origin.sentence}`,
        { tensor: view.name },
      );
    },
  };
}

function hasNoPart({ path, origin }: LoraFile, part: LoraPart, modules: readonly LoraModule[]): CheckpointError {
  const tensor = firstTensor(modules);
  return new CheckpointError(
    'missing-tensor',
    path,
    `is for another model: its tensor ${tensor} is for a ${titles[part]}, which this model has not.${origin.sentence}`,
    { tensor },
  );
}

function firstTensor([first]: readonly LoraModule[]): string {
  return first.tensors.values().next().value!.name;
}

function matchesNothing({ path, origin }: LoraFile, part: LoraPart, modules: readonly LoraModule[]): CheckpointError {
  const tensor = firstTensor(modules);
  return new CheckpointError(
    'missing-tensor',
    path,
    `changes nothing: the ${titles[part]} has none of its ${modules.length} modules, of which the first is ${modules[0].written}.${origin.sentence}`,
    { tensor },
  );
}
