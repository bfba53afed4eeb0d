import type { ModelHints, RawTensorInfo, Tensor } from '@sd/core';
import type { NativeGate } from './native-gate.js';
import type { Provider } from './providers.js';

/** The worker's startup data. */
export interface WorkerSetup {
  readonly runtime: string;
  readonly provider: Provider;
  readonly threads?: number;
  readonly gate: NativeGate;
}

/** A graph's weights: a folder of files, which ONNX Runtime maps, or bytes by location. */
export type PlacedWeights =
  | { readonly folder: string }
  | { readonly files: readonly { readonly path: string; readonly data: Uint8Array }[] };

/** The worker's calls, handled one at a time and in order. */
export interface Calls {
  /** Starts the runtime; reports whether its fused attention gives correct results. */
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

/** A failure of the runtime's import, of its execution provider, or of the call itself. */
export interface Failure {
  readonly stage: 'runtime' | 'provider' | 'call';
  /** The runtime's message. */
  readonly text: string;
  /** The providers that the runtime supports, if it lists them. */
  readonly supported?: readonly string[];
}

export type Reply = { readonly value: Calls[CallName]['reply'] } | { readonly failure: Failure };
