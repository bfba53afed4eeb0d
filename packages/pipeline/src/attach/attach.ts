import {
  type AdapterFile,
  type AdapterKind,
  adapterKinds,
  adapterRows,
  unsupportedFile,
  unsupportedSentence,
} from '@sd/adapters';
import { type Backend, InvalidOptionError, UnsupportedError, type Warning } from '@sd/core';
import { describe } from '@sd/core/options';
import { fileFormat, hasFile, openWeights } from '@sd/weights';
import { fewStepDefaults } from '../defaults/few-step.js';
import { fileNames } from '../defaults/file-names.js';
import { families } from '../families/index.js';
import { recognise } from '../load/inspect/recognise.js';
import { type Located, locate, type Place } from '../load/locate.js';
import { addressOf } from '../load/model-defaults.js';
import { adaptedModelOf } from './adapted-model.js';
import type { AdaptedStages } from './adapted-stages.js';
import type { AttachOptions } from './attach-options.js';
import { type AttachedAdapter, disagreement } from './attached-defaults.js';

/** An adapter attached to a pipeline. */
export interface Attachment {
  /** Its name in `generate`. */
  readonly name: string;
  /** Its kind, such as `lora` or `controlnet`. */
  readonly kind: string;
}

/** The result of `attach`. */
export interface AttachResult extends Attachment {
  /** Parts of the file that are not used: unknown tensors, modules that the model does not have. */
  readonly warnings: readonly Warning[];
}

interface AttachSettings {
  /** Aborted with the caller's signal, until the request has ended. */
  readonly signal: AbortSignal;
  readonly backend: Backend | undefined;
  /** Whether replaced stages are loaded at once. */
  readonly load: boolean;
}

export async function attach(
  adapted: AdaptedStages,
  place: Place,
  options: AttachOptions,
  { signal, backend, load }: AttachSettings,
): Promise<AttachResult> {
  const { imageEncoder } = options;
  const located = await locate(place, options.path, { ...options, signal });
  const name = options.name ?? located.stem;
  checkName(name, adapted);
  const { kind, ...file } =
    options.kind === undefined ? await recogniseAdapter(place, located) : await openAsKind(options.kind, located);
  const model = adaptedModelOf(adapted.stages, adapted.composition);
  const { adapters } = adapted;
  const context = { model, adapters, families, backend, imageEncoder, signal };
  const opened = await kind.open({ ...file, name }, context);
  const adapter: AttachedAdapter = Object.assign(opened, {
    defaults: kind.distils === true ? adapterDefaults(addressOf(place, options.path), file, adapted) : undefined,
  });
  try {
    await adapted.replace([...adapters, adapter], { load, signal });
  } catch (error) {
    await adapter.dispose?.();
    throw error;
  }
  return { name, kind: kind.name, warnings: [...(adapter.warnings?.() ?? []), ...disagreement(adapted.adapters)] };
}

/** The defaults of an adapter that is a distillation, recognized by its names. */
function adapterDefaults(address: string, { weights }: Omit<AdapterFile, 'name'>, { composition }: AdaptedStages) {
  return fewStepDefaults({
    names: fileNames(address, weights?.metadata),
    isAdapter: true,
    family: composition.family,
  });
}

export async function detach(
  adapted: AdaptedStages,
  name: string,
  options: { readonly load: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const adapter = adapted.adapters.find((attached) => attached.name === name);
  if (adapter === undefined) {
    const names = adapted.adapters.map((attached) => attached.name).join(', ');
    throw new InvalidOptionError('name', `is ${describe(name)}, but attached is ${names === '' ? 'nothing' : names}.`);
  }
  if (adapter.builtIn) {
    throw new InvalidOptionError(
      'name',
      `is ${describe(name)}, which was exported inside the model and stays there. Without settings in adapters it adds nothing.`,
    );
  }
  await adapted.replace(
    adapted.adapters.filter((attached) => attached !== adapter),
    options,
  );
  await adapter.dispose?.();
}

type FileOfKind = Omit<AdapterFile, 'name'> & { readonly kind: AdapterKind };

/** Recognises a file by its names and shapes. Throws an UnsupportedError if it cannot be attached. */
async function recogniseAdapter(place: Place, located: Located): Promise<FileOfKind> {
  const { adapterKind: kind, inspection, ...file } = await recognise(located);
  if (kind !== undefined) return { ...file, kind };
  const { source, path } = located;
  const title = path === '' ? String(typeof place === 'string' ? place : (source.name ?? 'The folder')) : path;
  const { kind: found, canDo } = inspection;
  if (found === 'unsupported') throw new UnsupportedError(`${title} cannot be attached. ${canDo}`);
  throw new UnsupportedError(
    `${title} is ${found === 'unknown' ? 'of no known kind' : `a ${found}`}, which cannot be attached. ${canDo}`,
  );
}

/** Opens a file as one of a kind, regardless of its tensors' names. */
async function openAsKind(name: string, { source, path }: Located): Promise<FileOfKind> {
  const kind = adapterKinds.find((known) => known.name === name);
  if (kind === undefined) {
    const names = adapterKinds.map((known) => known.name).join(', ');
    throw new InvalidOptionError('kind', `must be one of ${names}, not ${describe(name)}.`);
  }
  const file = path === '' ? await fileInFolder(source, kind) : path;
  if (file === '' || (await fileFormat(source, file)) === 'onnx') return { source, path: file, kind };
  const weights = await openWeights(source, file);
  const refused = unsupportedFile(weights.tensors, adapterRows);
  if (refused !== undefined) throw new UnsupportedError(`${file} ${unsupportedSentence(refused, families)}`);
  return { source, path: file, kind, weights };
}

/** The file that stands for the folder of an adapter of this kind; empty if the folder has none. */
async function fileInFolder(source: Located['source'], { folder }: AdapterKind): Promise<string> {
  for (const file of folder?.files ?? []) if (await hasFile(source, file)) return file;
  return '';
}

function checkName(name: unknown, { adapters }: AdaptedStages): void {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidOptionError('name', `must be a string that is not empty, not ${describe(name)}.`);
  }
  if (adapters.some((adapter) => adapter.name === name)) {
    throw new InvalidOptionError(
      'name',
      `${describe(name)} is attached already: detach it first, or give another name.`,
    );
  }
}
