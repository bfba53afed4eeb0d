import type { Failure, Tensor, Warning } from '@sd/core';
import type { EncodeOptions } from '@sd/image';
import type { DownloadProgress, PickedFiles } from '@sd/source';
import type { Attachment, AttachResult } from '../attach/attach.js';
import type { GenerateOptions } from '../generate/options/index.js';
import type { PlainAttachOptions, PlainLoadOptions } from './options.js';
import type { Packed } from './packing.js';

/** Where a model is, in a form that can be sent: an address, files, or undefined for the embedded model. */
export type SendableLocation = string | PickedFiles | undefined;

/** The properties of the pipeline in a worker. */
export interface PipelineFacts {
  readonly provider: string;
  readonly float16: boolean;
  readonly warnings: readonly Warning[];
  readonly attached: readonly Attachment[];
}

/** The calls that a page makes to a worker: requests and replies by name. */
export interface Calls {
  load: { request: { location: SendableLocation; options: PlainLoadOptions }; reply: PipelineFacts };
  /** Asks for the next event of a run; the first call has its options. */
  next: { request: { run: number; options?: GenerateOptions }; reply: Packed };
  /** Ends a run that is no longer read. */
  end: { request: { run: number }; reply: undefined };
  preview: { request: { latents: Tensor<'float32'> }; reply: Packed };
  encode: { request: { image: Packed; options: EncodeOptions }; reply: Uint8Array<ArrayBuffer> };
  attach: { request: { location: SendableLocation; options: PlainAttachOptions }; reply: AttachReply };
  detach: { request: { name: string }; reply: readonly Attachment[] };
  dispose: { request: object; reply: undefined };
}

export type CallName = keyof Calls;

export interface AttachReply {
  readonly attachment: AttachResult;
  readonly attached: readonly Attachment[];
}

/** A message from the page to the worker. */
export type ToWorker =
  /** Asks whether the worker is ready. Lost if its script has not run yet, which later reports itself ready anyway. */
  | { readonly type: 'hello' }
  | { [Name in CallName]: { type: 'call'; id: number; name: Name; request: Calls[Name]['request'] } }[CallName]
  | { readonly type: 'abort'; readonly id: number };

/** A message from the worker to the page. */
export type FromWorker =
  /** The worker's script runs. It holds `lock` for as long as it lives. */
  | { readonly type: 'ready'; readonly lock?: string }
  | { readonly type: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'progress'; readonly progress: DownloadProgress };

/** A Worker, the global scope of a worker, or either end of a MessageChannel. */
export interface MessagePortLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: MessageEvent) => void): void;
  removeEventListener(type: string, listener: (event: MessageEvent) => void): void;
  /** MessagePort only. */
  start?(): void;
  close?(): void;
  /** Worker only. */
  terminate?(): void;
}
