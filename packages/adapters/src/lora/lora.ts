import { barrier, CheckpointError, UnsupportedError } from '@sd/core';
import type { AdaptedLayer, Graph, LayerExtension, Value } from '@sd/graph';
import { type Config, reshapeView, type TensorView, type WeightsFile } from '@sd/weights';
import type { ModelFamily } from '../family.js';
import { derivedView } from './derived.js';
import { biasOf, changedRows, normChange, plusDifferences } from './differences.js';
import { dora } from './dora.js';
import { type Origin, originOf } from './family.js';
import { type Fit, type Place, perChannel } from './fit.js';
import { glora } from './glora.js';
import { ia3 } from './ia3.js';
import { loha } from './loha.js';
import { lokr } from './lokr.js';
import { lora } from './low-rank.js';
import { readSettings, type SettingsOf } from './metadata.js';
import { type Algorithm, type LoraModule, readModules } from './modules.js';
import { type LoraComponent, loraComponents } from './names.js';
import { originalModules } from './original-names.js';
import { type Candidate, originalTransformerModules } from './original-transformer-names.js';
import { orthogonal } from './orthogonal.js';
import { bundledWords } from './words.js';

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
  /** PEFT's `adapter_config.json` in the same folder. */
  readonly peftConfig?: Config | undefined;
}

/** How each algorithm changes a layer's output. */
const algorithms: Readonly<Record<Algorithm, (g: Graph, fit: Fit) => Value>> = {
  lora: (g, fit) => plusFactorBias(g, { ...fit, layer: { ...fit.layer, output: dora(g, fit, lora) } }),
  loha: (g, fit) => dora(g, fit, loha),
  lokr: (g, fit) => dora(g, fit, lokr),
  glora,
  oft: orthogonal,
  boft: orthogonal,
  ia3,
};

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
 * Opens a LoRA or a related adapter, under the names of diffusers and PEFT, old ones included, kohya, LyCORIS,
 * OneTrainer, SimpleTuner and ComfyUI, with diffusers' or the original code's modules. No weights are read.
 *
 * Throws a CheckpointError, and an UnsupportedError for another algorithm or a model that this project has no graphs for.
 * Writing a graph with an extension throws a CheckpointError where the file is for another model, with the first tensor that
 * does not fit.
 */
export function openLora(weights: WeightsFile, options: OpenLoraOptions): Lora {
  return barrier('openLora()', () => readLora(weights, options));
}

function readLora(weights: WeightsFile, { name, families = [], peftConfig }: OpenLoraOptions): Lora {
  const { path, metadata, tensors } = weights;
  const { modules, unused } = readModules(path, tensors);
  const settings = readSettings(metadata, peftConfig);
  const origin = originOf(modules, metadata, families);
  const file = { path, name, settings, origin, derived: derivedFrom(weights) };
  const words = bundledWords(weights);
  const extensions = loraComponents.flatMap((component) => {
    const members = modules.filter((module) => module.component === component);
    return members.length === 0 ? [] : [extensionOf(file, component, members)];
  });
  return {
    name,
    family: file.origin.family,
    extensions: Object.fromEntries(extensions.map((extension) => [extension.component, extension])),
    unusedTensors: unused.filter((tensor) => !words.has(tensor)),
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
  readonly settings: SettingsOf;
  readonly derived: Fit['derived'];
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
      const candidates = candidatesIn(component);
      const missing = new Set(modules);
      left = missing;
      const find = (written: string) => {
        const [found] = candidates(written.replaceAll('.', '_')).flatMap(({ module, ...part }) => {
          const known = byModule.get(module);
          return known === undefined ? [] : { module: known, ...part };
        });
        if (found !== undefined) missing.delete(found.module);
        return found;
      };
      const placeOf = placesIn(g, file, strength);
      return {
        layer(layer) {
          const found = find(layer.module);
          if (found === undefined) return layer.output;
          const place = placeOf(found.module, layer.module, layer.weight.shape);
          return changedLayer(g, found.module, { ...place, layer: partOf(file, layer, found), derived: file.derived });
        },
        norm(norm) {
          const found = find(norm.module);
          return found && normChange(g, placeOf(found.module, norm.module, [norm.size]), norm);
        },
        table(table) {
          const found = find(table.module);
          return found ? changedRows(g, placeOf(found.module, table.module, table.table.shape), table) : table.output;
        },
      };
    },
  };
}

/** Returns the modules of a file that may hold a layer's change, by the layer's name, in the order of the graph. */
function candidatesIn(component: LoraComponent): (module: string) => readonly Candidate[] {
  if (component === 'transformer') return (module) => [{ module }, ...originalTransformerModules(module)];
  const original = component === 'unet' ? originalModules() : () => [];
  return (module) => [module, ...original(module)].map((name) => ({ module: name }));
}

interface FoundModule extends Omit<Candidate, 'module'> {
  readonly module: LoraModule;
}

/** The layer as a part of a file's module. */
function partOf(file: LoraFile, layer: AdaptedLayer, { module, part, swapped }: FoundModule): AdaptedLayer {
  const { rows, weight } = layer;
  const size = rows?.module.weight.shape[0] ?? 0;
  const isHalf = rows !== undefined && 2 * (rows.end - rows.start) === size;
  if (part === undefined && !(swapped && isHalf)) return layer;
  expectRowwise(file, module);
  const length = weight.shape[0];
  const start = part === undefined ? ((rows?.start ?? 0) + length) % size : part.index * length;
  return { ...layer, rows: { start, end: start + length, module: { weight } } };
}

function expectRowwise({ path }: LoraFile, { tensors }: LoraModule): void {
  const [, view] = [...tensors].find(([slot]) => !isRowwise.test(slot)) ?? [];
  if (view === undefined) return;
  throw new UnsupportedError(
    `${path}: its tensor ${view.name} is for several layers in one module, which is supported for LoRA, LoHa, LoKr and whole differences only.`,
  );
}

/** Slots whose rows can be taken without those of the other layers. */
const isRowwise = /^(down|up|mid|bias|alpha|hada_.+|lokr_.+|diff|diff_b)$/;

/** Makes tensors that are computed from others, each once: the parts of a module share them. */
function derivedFrom(weights: WeightsFile): Fit['derived'] {
  const made = new Map<string, TensorView>();
  return (shape, from, compute) => {
    const key = from.map((view) => view.name).join(' ');
    const view = made.get(key) ?? derivedView(weights, shape, from, compute);
    made.set(key, view);
    return view;
  };
}

function changedLayer(g: Graph, { algorithm }: LoraModule, fit: Fit): Value {
  const output = algorithm === undefined ? fit.layer.output : algorithms[algorithm](g, fit);
  return plusDifferences(g, { ...fit, layer: { ...fit.layer, output } });
}

/** Adds the bias that PEFT's second factor may have. */
function plusFactorBias(g: Graph, fit: Fit): Value {
  const { layer, tensors } = fit;
  const bias = tensors.get('bias');
  if (bias === undefined) return layer.output;
  const scale = fit.scaled(tensors.get('down')?.shape[0]);
  return g.add(layer.output, perChannel(g, layer, g.mul(biasOf(g, fit, bias), scale)));
}

/** Returns the place of a module in a model, by the name and the shape of what it changes there. */
function placesIn(
  g: Graph,
  { path, origin, settings }: LoraFile,
  strength: Value,
): (module: LoraModule, name: string, shape: readonly number[]) => Place {
  /** The strength times a number, by the number. */
  const scales = new Map<number, Value>([[1, strength]]);
  const times = (factor: number) => {
    const scale = scales.get(factor) ?? g.mul(strength, g.constant([factor]));
    scales.set(factor, scale);
    return scale;
  };
  return (module, name, shape) => ({
    tensors: module.tensors,
    strength,
    scaled(rank) {
      const saved = settings(module);
      const divide = (by: number) => 1 / (saved.rankStabilized ? Math.sqrt(by) : by);
      // Where no factor has low rank, an alpha in the file is meaningless, but PEFT's config counts.
      if (rank === undefined)
        return times(saved.rank === undefined ? 1 : (saved.alpha ?? saved.rank) * divide(saved.rank));
      const alpha = module.tensors.get('alpha');
      if (alpha === undefined) return times((saved.alpha ?? rank) * divide(rank));
      return g.mul(strength, g.mul(g.weight(reshapeView(alpha, [1])), g.constant([divide(rank)])));
    },
    misfit: (view) =>
      new CheckpointError(
        'misshapen-tensor',
        path,
        `is for another model: its tensor ${view.name} of shape [${view.shape.join(', ')}] does not fit the ${titles[module.component]}’s ${name}, [${shape.join(', ')}].${origin.sentence}`,
        { tensor: view.name },
      ),
  });
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
