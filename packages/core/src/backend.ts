import type { Tensor, TensorType } from './tensor.js';
import type { Warning } from './warning.js';

/** A file of weights. A graph's tensors point into it by `location`, offset and length. */
export interface WeightFile {
  /** Its name in the graph. For a file on disk, its real path without the root: `home/me/model.safetensors`. */
  readonly location: string;
  /** Its real path if it is on this machine's disk, so that a backend can map it. */
  readonly path?: string;
  /** The whole file, for a backend that cannot map it. */
  read(signal?: AbortSignal): Promise<Uint8Array>;
  /** Rejects with a SourceError or CheckpointError if the file was moved, deleted or cut since it was opened. Reads nothing. */
  check?(): Promise<void>;
}

/** A graph to run and the files that hold its weights. */
export interface Model {
  /** Its name in messages: `unet`. */
  readonly name: string;
  /** A serialized ONNX ModelProto. */
  readonly graph: Uint8Array;
  readonly weights: readonly WeightFile[];
  readonly hints?: ModelHints;
}

/** How a graph will be used. A backend may ignore any of it. */
export interface ModelHints {
  /** True if it runs many times in a row, so that its working memory is worth keeping between runs. */
  readonly repeated?: boolean;
  /** True if it is so large that rearranging its weights for speed, which holds them twice during loading, does not pay. */
  readonly compact?: boolean;
  /** Bytes of its weights once loaded, after widening. */
  readonly weightBytes?: number;
  /** Names of nodes that need a CPU's precision, which a shader may not have. */
  readonly precise?: readonly string[];
}

/** An input or output of a graph. A dimension is a size, or the name of a dynamic one. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly (number | string)[];
}

export interface RunOptions {
  /** An aborted run rejects with an AbortError. The runtime itself cannot stop midway; its result is dropped. */
  readonly signal?: AbortSignal;
  /** Names of the outputs to return; all by default. */
  readonly outputs?: readonly string[];
}

/** A loaded graph. */
export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Runs the graph on named inputs, whose data stay the caller's. Throws TensorError, BackendError, AbortError, DisposedError. */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Capabilities that vary between machines with the same provider. */
export interface BackendFeatures {
  /** Whether graphs should compute in half precision. */
  readonly float16?: boolean;
  /** Whether ONNX Runtime's fused attention (`MultiHeadAttention`) gives correct results; true by default. */
  readonly fusedAttention?: boolean;
}

/** Runs graphs. Knows nothing about diffusion. */
export interface Backend {
  /** The execution provider to write graphs for: `cpu`, `cuda`, `wasm`, `webgpu`. */
  readonly provider: string;
  readonly features?: BackendFeatures;
  /** Reasons why it is slower than it could be: `no-webgpu`, `one-thread`. */
  readonly warnings?: readonly Warning[];
  /** Starts the backend, which settles `features` and `warnings`. Stages wait for it before they write graphs. */
  ready?(): Promise<void>;
  load(model: Model, options?: { readonly signal?: AbortSignal }): Promise<Session>;
  /** Disposes all sessions and frees what they hold. */
  dispose(): Promise<void>;
}
