import type { ModelHints, RawTensorInfo, Tensor } from '@sd/core';
import type { NativeGate } from './native-gate.js';
import type { Provider } from './providers.js';

/** What the worker is started with. */
export interface WorkerSetup {
  readonly runtime: string;
  readonly provider: Provider;
  readonly threads?: number;
  readonly gate: NativeGate;
}

/** Where a graph's weights are: files under a folder, which ONNX Runtime maps, or bytes by their location. */
export type PlacedWeights =
  | { readonly folder: string }
  | { readonly files: readonly { readonly path: string; readonly data: Uint8Array }[] };

/** The calls that the worker answers, one at a time and in order. */
export interface Calls {
  /** Starts the runtime: does its fused attention give right numbers? */
  start: { request: Record<never, never>; reply: { fusedAttention: boolean } };
  load: {
    request: { session: number; graph: Uint8Array; weights: PlacedWeights; hints: ModelHints };
    reply: { inputs: RawTensorInfo[]; outputs: RawTensorInfo[] };
  };
  run: {
    request: { session: number; feeds: Record<string, Tensor>; outputs?: readonly string[] };
    reply: Record<string, Tensor>;
  };
  release: { request: { session: number }; reply: undefined };
  /** Releases every session and lets the worker end. */
  close: { request: Record<never, never>; reply: undefined };
}

export type CallName = keyof Calls;

export type Request = { [Name in CallName]: { readonly call: Name } & Calls[Name]['request'] }[CallName];

/** What failed: the import of the runtime, its execution provider, or the call itself. */
export interface Failure {
  readonly stage: 'runtime' | 'provider' | 'call';
  /** The runtime's own text. */
  readonly text: string;
  /** The providers that the runtime knows, where it says. */
  readonly known?: readonly string[];
}

export type Reply = { readonly value: Calls[CallName]['reply'] } | { readonly failure: Failure };
