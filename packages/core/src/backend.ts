import type { Tensor, TensorType } from './tensor.js';
import type { Warning } from './warning.js';

/** A file of weights that a graph's tensors point into, by `location`, offset and length. */
export interface WeightFile {
  /** Its name in the graph. For a file on disk, its real path without the root: `home/me/model.safetensors`. */
  readonly location: string;
  /** Its real path, where the file is on this machine's disk, so that a backend may map it. */
  readonly path?: string;
  /** The whole file, for a backend that cannot map it. */
  read(signal?: AbortSignal): Promise<Uint8Array>;
}

/** A graph to run and the files that hold its weights. */
export interface Model {
  /** What it is, for messages: `unet`. */
  readonly name: string;
  /** An ONNX ModelProto, serialized. */
  readonly graph: Uint8Array;
  readonly weights: readonly WeightFile[];
  readonly hints?: ModelHints;
}

/** What a backend may know of a graph's use. It may ignore all of it. */
export interface ModelHints {
  /** Run many times in a row, so that its working memory is worth keeping between runs. */
  readonly repeated?: boolean;
  /** So large that its weights must not be laid out anew for speed: that would hold them twice while it is loaded. */
  readonly compact?: boolean;
  /** Bytes that its weights take once it is loaded, those that it widens as wide as they become. */
  readonly weightBytes?: number;
  /** Names of nodes whose operators must be as exact as a processor's; a shader's may not be. */
  readonly precise?: readonly string[];
}

/** What a graph takes or gives. A dimension is a size, or the name of one that is free. */
export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  readonly dims: readonly (number | string)[];
}

export interface RunOptions {
  /** A run is not broken off inside the runtime: an aborted one rejects with an AbortError and its result is dropped. */
  readonly signal?: AbortSignal;
  /** Names of the outputs wanted; without it, all. */
  readonly outputs?: readonly string[];
}

/** A loaded graph. */
export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Runs the graph on named inputs; the caller keeps their data. Throws BackendError, AbortError, DisposedError. */
  run(feeds: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** What a backend can do that not every one with its provider can. */
export interface BackendFeatures {
  /** Computes in half precision, at more than the speed of float32. */
  readonly float16?: boolean;
  /** Does the fused attention of ONNX Runtime (`MultiHeadAttention`) give right numbers? Yes, if it is not said. */
  readonly fusedAttention?: boolean;
}

/** Where graphs run. Knows nothing of diffusion. */
export interface Backend {
  /** The execution provider that graphs are written for: `cpu`, `cuda`, `wasm`, `webgpu`. */
  readonly provider: string;
  readonly features?: BackendFeatures;
  /** Why it is slower than it could be: `no-webgpu`, `one-thread`. */
  readonly warnings?: readonly Warning[];
  /** Starts it, after which `features` and `warnings` say what this machine has. Stages wait for it before they write graphs. */
  ready?(): Promise<void>;
  load(model: Model, options?: { readonly signal?: AbortSignal }): Promise<Session>;
  /** Ends all sessions and frees what they hold. */
  dispose(): Promise<void>;
}
