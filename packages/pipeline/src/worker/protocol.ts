import type { Tensor, Warning } from '@sd/core';
import type { DownloadProgress, PickedFiles } from '@sd/source';
import type { Attachment, AttachResult } from '../attach/attach.js';
import type { GenerateOptions } from '../generate/options/index.js';
import type { Failure } from './failures.js';
import type { PlainAttachOptions, PlainLoadOptions } from './options.js';
import type { Packed } from './packing.js';

/** Where a model is, in a form that crosses: an address, files, or nothing for the embedded model. */
export type Place = string | PickedFiles | undefined;

/** What the pipeline in a worker is. */
export interface PipelineFacts {
  readonly provider: string;
  readonly float16: boolean;
  readonly warnings: readonly Warning[];
  readonly attached: readonly Attachment[];
}

/** What a page asks of a worker, and what it is answered. */
export interface Calls {
  load: { request: { place: Place; options: PlainLoadOptions }; reply: PipelineFacts };
  /** The next event of a run; the first call has its options. */
  next: { request: { run: number; options?: GenerateOptions }; reply: Packed };
  /** Ends a run that its reader has left. */
  end: { request: { run: number }; reply: undefined };
  preview: { request: { latents: Tensor<'float32'> }; reply: Packed };
  png: { request: { picture: Packed }; reply: Uint8Array };
  attach: { request: { place: Place; options: PlainAttachOptions }; reply: AttachReply };
  detach: { request: { name: string }; reply: readonly Attachment[] };
  dispose: { request: object; reply: undefined };
}

export type CallName = keyof Calls;

export interface AttachReply {
  readonly attachment: AttachResult;
  readonly attached: readonly Attachment[];
}

/** From the page. */
export type ToWorker =
  /** Are you there? Lost where the worker's script has not run yet. */
  | { readonly type: 'hello' }
  | { [Name in CallName]: { type: 'call'; id: number; name: Name; request: Calls[Name]['request'] } }[CallName]
  | { readonly type: 'abort'; readonly id: number };

/** From the worker. */
export type ToPage =
  /** Its script runs. `lock` is held as long as it lives. */
  | { readonly type: 'ready'; readonly lock?: string }
  | { readonly type: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'progress'; readonly progress: DownloadProgress };

/** A Worker, a worker's own global scope, or either end of a MessageChannel. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: MessageEvent) => void): void;
  removeEventListener(type: string, listener: (event: MessageEvent) => void): void;
  /** Of a MessagePort. */
  start?(): void;
  close?(): void;
  /** Of a Worker. */
  terminate?(): void;
}
