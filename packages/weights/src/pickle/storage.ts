import type { WeightFile } from '@sd/core';
import type { Dtype } from '../safetensors/dtype.js';
import type { PickleBytes } from './bytes.js';

/** A run of bytes in a file that one or more tensors are views of: torch's storage. */
export interface Storage {
  readonly key: string;
  /** Undefined if each tensor names its own type. */
  readonly dtype: Dtype | undefined;
  readonly file: WeightFile;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** Records that a tensor uses the storage's bytes up to `end`; no others are inflated. */
  use(end: number): void;
  /** A file with the storage's bytes after `convert`, which runs when a graph is loaded. */
  converted(name: string, convert: (bytes: Uint8Array) => Uint8Array): WeightFile;
}

/** A file's main pickle, and its storages by key. */
export interface Storages {
  readonly pickle: PickleBytes;
  find(key: string, dtype: Dtype | undefined): Storage;
}
