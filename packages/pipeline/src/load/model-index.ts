import { CheckpointError, UnsupportedError, type Warning } from '@sd/core';
import { schedulerClasses } from '@sd/scheduler';
import { type Config, readConfig } from '@sd/weights';
import type { Component, Family, FolderFacts, Json, TextEncoderComponent } from '../families/family.js';
import { families, familyOfFolder } from '../families/index.js';
import type { ModelFiles } from './model-files.js';

const file = 'model_index.json';

/** Components that are not needed to generate images. */
const skipped = ['safety_checker', 'feature_extractor', 'image_encoder'];

export interface ModelIndex {
  readonly family: Family;
  /** All values, including the flags of some families. */
  readonly values: Json;
  /** The text encoders that the model has, in the family's order. */
  readonly textEncoders: readonly TextEncoderComponent[];
  /** The scheduler's class: diffusers uses this one, not the one in the scheduler's config. */
  readonly schedulerClass: string | undefined;
  /** One for each component that is not used. */
  readonly warnings: readonly Warning[];
}

/**
 * Reads `model_index.json`, finds the model's family, and checks that the components it lists are supported. Its entries for
 * `replaced` components, which the caller provides, are ignored. Throws a SourceError if it is missing, a CheckpointError
 * for a component that is not listed, and an UnsupportedError that names an unknown class.
 */
export async function readModelIndex(
  model: ModelFiles,
  replaced: ReadonlySet<string> = new Set(),
  omitted: ReadonlySet<string> = new Set(),
): Promise<ModelIndex> {
  const config = await readConfig(model.files, file);
  config.only('is_cosxl_edit', false);
  const classOf = (name: string) => (replaced.has(name) ? 'replaced' : classIn(config, name));
  const family = model.family ?? familyOfFolder(await folderFacts(model, classOf));
  const textEncoders = family.textEncoders.filter(
    ({ name, optional }) => !optional || (classOf(name) !== undefined && !omitted.has(name)),
  );
  const needed = neededClasses(family, textEncoders);
  const omittedNames = family.textEncoders.flatMap(({ name, tokenizer }) =>
    omitted.has(name) ? [name, tokenizer] : [],
  );
  expectSupported(config, family, classOf);
  for (const [name, classes] of needed) checkClass(name, classOf(name), replaced.has(name) ? undefined : classes);
  return {
    family,
    values: Object.fromEntries(config.entries()),
    textEncoders,
    schedulerClass: classIn(config, 'scheduler'),
    warnings: skippedComponents(
      config,
      new Set([...needed.keys(), ...replaced, ...omittedNames]),
      unusedEncoders(textEncoders),
    ),
  };
}

export async function folderFacts(model: ModelFiles, classOf: FolderFacts['classOf']): Promise<FolderFacts> {
  const names = families.map(({ noisePredictor }) => noisePredictor.name);
  const listed = names.find((name) => classOf(name) !== undefined);
  return { classOf, config: listed === undefined ? {} : await model.settings(listed) };
}

/** The text encoders of any family that a model does not use, and their tokenizers. */
function unusedEncoders(used: readonly TextEncoderComponent[]): ReadonlySet<string> {
  const all = families.flatMap(({ textEncoders }) => textEncoders);
  const names = (encoders: readonly TextEncoderComponent[]) =>
    encoders.flatMap(({ name, tokenizer }) => [name, tokenizer]);
  return new Set(names(all).filter((name) => !names(used).includes(name)));
}

/** The supported classes of each component that a model of the family needs. */
function neededClasses(
  { noisePredictor, vae }: Family,
  textEncoders: readonly TextEncoderComponent[],
): ReadonlyMap<string, readonly string[]> {
  return new Map([
    ...textEncoders.flatMap((encoder): [string, readonly string[]][] => [
      [encoder.tokenizer, encoder.tokenizerClasses],
      [encoder.name, encoder.classes],
    ]),
    ...[noisePredictor, vae].map(({ name, classes }: Component<unknown>): [string, readonly string[]] => [
      name,
      classes,
    ]),
    ['scheduler', schedulerClasses],
  ]);
}

/** Throws an UnsupportedError for a pipeline of another architecture, by its noise predictor's class or the pipeline's. */
function expectSupported(config: Config, { noisePredictor }: Family, classOf: FolderFacts['classOf']): void {
  if (classOf(noisePredictor.name) !== undefined) return;
  const pipeline = config.get('_class_name');
  const other = families.map((family) => family.noisePredictor.name).find((name) => classOf(name) !== undefined);
  const isKnown = families.some((family) => family.file.index._class_name === pipeline);
  if (other === undefined && (isKnown || typeof pipeline !== 'string')) return;
  const titles = families.map(({ title }) => title).join(', ');
  const predictor = other === undefined ? '' : `, whose ${other} is a ${classOf(other)}`;
  throw new UnsupportedError(
    `${file} is for a ${typeof pipeline === 'string' ? pipeline : 'pipeline'}${predictor}. It is not supported; supported are ${titles}.`,
  );
}

function checkClass(name: string, found: string | undefined, classes: readonly string[] | undefined): void {
  if (found === undefined) throw new CheckpointError('bad-config', file, `lists no ${name}, which is needed.`);
  if (classes === undefined || classes.includes(found)) return;
  throw new UnsupportedError(`${file}: ${name} is a ${found}; supported are ${classes.join(', ')}.`);
}

/** Warnings for components that are not needed. Throws an UnsupportedError for an unknown one. */
function skippedComponents(config: Config, used: ReadonlySet<string>, unused: ReadonlySet<string>): Warning[] {
  return [...config.entries()].flatMap(([name, value]): Warning[] => {
    if (used.has(name) || !(Array.isArray(value) || value === null)) return [];
    const found = classIn(config, name);
    // A component that the model lacks, such as the safety checker, is listed as nulls.
    if (found === undefined) return [];
    if (!skipped.includes(name) && !unused.has(name)) {
      throw new UnsupportedError(`${file}: ${name}, a ${found}, is a component that is not supported.`);
    }
    return [{ code: 'part-skipped', message: `${name} (${found}) is not used.` }];
  });
}

/** The class in an entry `[library, class]`; undefined if the entry is missing or has nulls. */
export function classIn(config: Config, name: string): string | undefined {
  const entry = config.get(name);
  return Array.isArray(entry) && typeof entry[1] === 'string' ? entry[1] : undefined;
}
