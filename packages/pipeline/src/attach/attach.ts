import { type Backend, InvalidOptionError, UnsupportedError } from '@sd/core';
import { describe } from '../checks.js';
import { inspect } from '../load/inspect.js';
import { type Located, locate, type Place } from '../load/locate.js';
import type { AdaptedStages } from './adapted-stages.js';
import type { AdapterKind, AttachResult } from './adapter.js';
import type { AttachOptions } from './attach-options.js';
import { adapterKinds, openAdapter } from './open.js';

/** A path, URL, file that a person picked, or Source. */
export type AttachSource = Place;

interface AttachSettings {
  readonly backend: Backend | undefined;
  /** Should what is made anew be loaded at once? */
  readonly load: boolean;
}

export async function attach(
  adapted: AdaptedStages,
  file: AttachSource,
  options: AttachOptions,
  { backend, load }: AttachSettings,
): Promise<AttachResult> {
  const { signal } = options;
  const located = await locate(file, options.path);
  const name = options.name ?? located.stem;
  checkName(name, adapted);
  const kind = options.kind ?? (await kindOf(file, located));
  const adapter = await openAdapter(
    kind,
    { ...located, name },
    { stages: adapted.stages, adapters: adapted.adapters, backend, imageEncoder: options.imageEncoder, signal },
  );
  try {
    await adapted.replace([...adapted.adapters, adapter], { load, signal });
  } catch (error) {
    await adapter.dispose?.();
    throw error;
  }
  return { name, kind, warnings: adapter.warnings?.() ?? [] };
}

export async function detach(
  adapted: AdaptedStages,
  name: string,
  options: { readonly load: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const adapter = adapted.adapters.find((one) => one.name === name);
  if (adapter === undefined) {
    const names = adapted.adapters.map((one) => one.name).join(', ');
    throw new InvalidOptionError('name', `is ${describe(name)}, but attached is ${names === '' ? 'nothing' : names}.`);
  }
  if (adapter.fused) {
    throw new InvalidOptionError(
      'name',
      `is ${describe(name)}, which was exported inside the U-Net and stays there. Without an entry in controls it adds nothing.`,
    );
  }
  await adapted.replace(
    adapted.adapters.filter((one) => one !== adapter),
    options,
  );
  await adapter.dispose?.();
}

/** What a file is, by its names and shapes. Throws an UnsupportedError for what is nothing to attach. */
async function kindOf(file: AttachSource, { source, path }: Located): Promise<AdapterKind> {
  const found = await inspect(source, path === '' ? {} : { path });
  if (adapterKinds.includes(found.kind)) return found.kind as AdapterKind;
  const name = path === '' ? String(typeof file === 'string' ? file : (source.name ?? 'The folder')) : path;
  throw new UnsupportedError(
    `${name} is ${found.kind === 'unknown' ? 'nothing that is known' : `a ${found.kind}`}, which cannot be attached. ${found.canDo}`,
  );
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
