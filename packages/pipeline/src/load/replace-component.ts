import { CheckpointError, lazyImport } from '@sd/core';
import { Checkpoint, Config, hasFile, type ModelFolder, type ModelParts, openWeights, splitByRange } from '@sd/weights';
import type { Component, Family } from '../families/family.js';
import { families } from '../families/index.js';
import { type Located, locate, type Place } from './locate.js';
import type { ModelFiles } from './model-files.js';
import { splitFile } from './single-file/split.js';
import { openTinyVae } from './tiny-vae.js';

/**
 * A model with another noise predictor or VAE, from the component's folder, a file with it alone in either layout, or a
 * whole model in one file. For a file, the shapes follow from its tensors, and the other settings from the model. Throws a
 * CheckpointError for a file without such a component.
 */
export async function replaceComponent(
  model: ModelFiles,
  family: Family,
  component: Component<unknown>,
  place: Place,
  signal: AbortSignal,
): Promise<ModelFiles> {
  const { name } = component;
  const located = await locate(place, undefined, { signal });
  const exported = new Map(model.exported);
  if (located.path === '' && component.loadOnnx !== undefined && (await hasFile(located.source, 'model.onnx'))) {
    return { ...model, exported: exported.set(name, { source: located.source, folder: '' }) };
  }
  exported.delete(name);
  const other =
    located.path === ''
      ? { source: located.source, folder: '' }
      : await openComponent(model, family, component, located);
  return { ...model, exported, component: (requested) => (requested === name ? other : model.component(requested)) };
}

async function openComponent(
  model: ModelFiles,
  family: Family,
  { name, classes, configFromShapes }: Component<unknown>,
  { source, path }: Located,
): Promise<ModelFolder | ModelParts> {
  const weights = await openWeights(source, path);
  const { tensors } = weights;
  // Imported on demand: it knows every kind of adapter.
  (await lazyImport(() => import('./inspect/expect-model.js'))).expectModel(weights);
  const settings = await model.settings(name);
  if (name === family.vae.name) {
    const tiny = await openTinyVae(source, path, tensors, settings);
    if (tiny !== undefined) return tiny;
  }
  const layout = families.find(({ file }) => file.layout.matches(tensors))!.file.layout;
  const found = splitFile(path, tensors, layout).components[name];
  if (found === undefined) {
    const [first = 'none'] = tensors.keys();
    throw new CheckpointError('bad-checkpoint', path, `has no ${name}: its first tensor is ${first}.`);
  }
  const known = settings._class_name === 'AutoencoderTiny' ? {} : settings;
  const config = new Config(path, { ...configFromShapes(path, found, known), _class_name: classes[0] });
  return { config, checkpoint: new Checkpoint(path, splitByRange(source, path, found)) };
}
