import {
  type Backend,
  lazyImport,
  type NoisePredictor,
  type Scheduler,
  settleAll,
  type TextEncoder,
  type Tokenizer,
  type Vae,
  type Warning,
} from '@sd/core';
import type { Component, TextEncoderComponent } from '../families/family.js';
import type { Stages, TextStage } from '../stages.js';
import type { ReplacedComponents } from './components.js';
import type { ModelFiles } from './model-files.js';
import type { ModelIndex } from './model-index.js';
import { type LoadedScheduler, loadScheduler } from './schedulers.js';
import { unknownSettings } from './unknown-settings.js';

export interface StageSources {
  readonly model: ModelFiles;
  readonly index: ModelIndex;
  readonly replaced: ReplacedComponents;
  readonly backend: Backend;
  readonly signal: AbortSignal;
}

/** The functions that change the model's scheduler are undefined if the caller replaced it. */
export interface LoadedStages extends Stages, Partial<Omit<LoadedScheduler, 'scheduler' | 'warnings'>> {
  /** Warnings for settings of the components' configs that were left out. */
  readonly warnings: readonly Warning[];
}

/** Opens all stages of a model; nothing is loaded into memory yet. Rejects as the components' loaders do. */
export async function openStages(sources: StageSources): Promise<LoadedStages> {
  const { index } = sources;
  const [textEncoders, noisePredictor, vae, previewVae, { warnings, ...scheduler }, unknown] = await settleAll([
    () => settleAll(index.textEncoders.map((component) => () => openTextStage(sources, component))),
    () => openComponent(sources, index.family.noisePredictor) as Promise<NoisePredictor>,
    () => openComponent(sources, index.family.vae) as Promise<Vae>,
    () => openPreviewVae(sources),
    () => openScheduler(sources),
    () => unknownSettings(sources.model, ownComponents(sources)),
  ]);
  return { textEncoders, noisePredictor, vae, previewVae, ...scheduler, warnings: [...warnings, ...unknown] };
}

/** The noise predictor and the VAE, unless the caller replaced them. */
function ownComponents({ index: { family }, replaced }: StageSources): Component<unknown>[] {
  const { stages, places } = replaced;
  return [family.noisePredictor, family.vae].filter(({ name }) => !stages.has(name) && !places.has(name));
}

async function openTextStage(sources: StageSources, component: TextEncoderComponent): Promise<TextStage> {
  const { model, replaced } = sources;
  const tokenizer = replaced.stages.get(component.tokenizer) as Tokenizer | undefined;
  const [opened, textEncoder] = await settleAll([
    () => tokenizer ?? component.loadTokenizer(model.files, component.tokenizer),
    () => openComponent(sources, component) as Promise<TextEncoder>,
  ]);
  return { tokenizer: opened, textEncoder, component: component.name };
}

async function openComponent<Stage>(
  { model, replaced, backend }: StageSources,
  component: Component<Stage>,
): Promise<Stage> {
  const stage = replaced.stages.get(component.name);
  if (stage !== undefined) return stage as Stage;
  const exported = model.exported.get(component.name);
  if (exported !== undefined && component.loadOnnx !== undefined) return component.loadOnnx({ backend, ...exported });
  return component.load({ backend, ...model.component(component.name) });
}

/** The VAE for previews, if the caller provides one. */
async function openPreviewVae({
  model,
  index,
  replaced,
  backend,
  signal,
}: StageSources): Promise<Stages['previewVae']> {
  const stage = replaced.stages.get('preview_vae');
  if (stage !== undefined) return stage as Stages['previewVae'];
  const place = replaced.places.get('preview_vae');
  if (place === undefined) return undefined;
  const { vae } = index.family;
  const { replaceComponent } = await lazyImport(() => import('./replace-component.js'));
  const files = await replaceComponent(model, index.family, vae, place, signal);
  const { loadVae } = await lazyImport(() => import('@sd/vae'));
  return loadVae({ backend, ...files.component(vae.name) });
}

async function openScheduler({
  model,
  index,
  replaced,
}: StageSources): Promise<Pick<LoadedStages, keyof LoadedScheduler>> {
  const scheduler = replaced.stages.get('scheduler') as Scheduler | undefined;
  if (scheduler !== undefined) return { scheduler, warnings: [] };
  return loadScheduler(model.files, index.schedulerClass);
}
