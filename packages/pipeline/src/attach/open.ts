import { type Backend, type ImageEncoder, InvalidOptionError, type Source } from '@sd/core';
import type { Stages } from '../stages.js';
import type { Adapter, AdapterKind } from './adapter.js';
import { openControlNet } from './kinds/controlnet.js';
import { openHypernetwork } from './kinds/hypernetwork.js';
import { openIpAdapter } from './kinds/ip-adapter.js';
import { openLoraFile } from './kinds/lora.js';
import { openMotionAdapter } from './kinds/motion-adapter.js';
import { openT2iAdapter } from './kinds/t2i-adapter.js';
import { openTextualInversion } from './kinds/textual-inversion.js';

/** Where an adapter's file lies, and what it will be called. */
export interface AdapterFile {
  readonly source: Source;
  /** The file in the source; empty for a folder, which the source is. */
  readonly path: string;
  readonly name: string;
}

/** What opening an adapter may need of the pipeline. */
export interface AdapterContext {
  readonly stages: Stages;
  /** What is attached already. */
  readonly adapters: readonly Adapter[];
  /** Where models run that come with an adapter, such as a ControlNet. */
  readonly backend: Backend | undefined;
  /** For an IP-Adapter: its image encoder's folder beside the file, or a stage. */
  readonly imageEncoder: string | ImageEncoder | undefined;
  readonly signal: AbortSignal | undefined;
}

type Opener = (file: AdapterFile, context: AdapterContext) => Promise<Adapter>;

const openers: Readonly<Record<AdapterKind, Opener>> = {
  controlnet: openControlNet,
  hypernetwork: openHypernetwork,
  'ip-adapter': openIpAdapter,
  lora: openLoraFile,
  'motion-adapter': openMotionAdapter,
  't2i-adapter': openT2iAdapter,
  'textual-inversion': openTextualInversion,
};

/** What can be attached. */
export const adapterKinds: readonly string[] = Object.keys(openers);

/** Opens an adapter of a kind. Rejects with what its reader throws. */
export function openAdapter(kind: AdapterKind, file: AdapterFile, context: AdapterContext): Promise<Adapter> {
  const opener = Object.hasOwn(openers, kind) ? openers[kind] : undefined;
  if (opener !== undefined) return opener(file, context);
  throw new InvalidOptionError('kind', `must be one of ${adapterKinds.join(', ')}, not ${JSON.stringify(kind)}.`);
}
