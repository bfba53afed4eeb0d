import type { Detail } from '@sd/adapters';

/**
 * A kind of file or folder: a model, a component of one, or an adapter by its kind's name, such as `lora`. `unsupported` is
 * known but not supported; `details.title` is its name.
 */
export type FileKind =
  | 'pipeline'
  | 'unet'
  | 'vae'
  | 'text-encoder'
  | 'image-encoder'
  | 'onnx'
  | 'unsupported'
  | 'unknown'
  | (string & Record<never, never>);

/** A description of a file or folder from its names, shapes and configs; no weights are read. */
export interface Inspection {
  readonly kind: FileKind;
  /** Id of the family that it belongs to or was made for, if known. */
  readonly family?: string;
  /** How its tensors are named: `diffusers`, `original`, `kohya`, and so on. */
  readonly layout?: string;
  /** Data types by safetensors' names, the most frequent first. */
  readonly dtypes: readonly string[];
  readonly details: Readonly<Record<string, Detail>>;
  /** What can be done with it here, in a sentence. */
  readonly canDo: string;
}

/** The result of recognising a file, from which its inspection follows. */
export interface Finding extends Omit<Inspection, 'dtypes' | 'canDo' | 'details' | 'family'> {
  readonly family?: string | undefined;
  /** Data types, if already known. */
  readonly dtypes?: readonly string[];
  readonly details?: Readonly<Record<string, Detail | undefined>>;
  /** Replaces the sentence of its kind. */
  readonly canDo?: string | undefined;
}
