import type { Detail } from '@sd/adapters';

/** What a file or folder may be: a model or a part of one, or an adapter by its kind's name, such as `lora`. */
export type FileKind =
  | 'pipeline'
  | 'unet'
  | 'vae'
  | 'text-encoder'
  | 'image-encoder'
  | 'onnx'
  | 'unknown'
  | (string & Record<never, never>);

/** What a file or folder is, as far as its names, shapes and configs tell. No weights are read for it. */
export interface Inspection {
  readonly kind: FileKind;
  /** The family of models that it is, or is for, where that can be told. */
  readonly family?: string;
  /** How its tensors are named: `diffusers`, `original`, `kohya`, and so on. */
  readonly layout?: string;
  /** Types of its values, the most frequent first, by safetensors' names. */
  readonly dtypes: readonly string[];
  readonly details: Readonly<Record<string, Detail>>;
  /** What can be done with it here, in a sentence. */
  readonly canDo: string;
}

/** What recognises a kind of file gives; the rest follows. */
export interface Finding extends Omit<Inspection, 'dtypes' | 'canDo' | 'details' | 'family'> {
  readonly family?: string | undefined;
  /** Types of the values, where they are known already. */
  readonly dtypes?: readonly string[];
  readonly details?: Readonly<Record<string, Detail | undefined>>;
  /** In place of the sentence of its kind. */
  readonly canDo?: string | undefined;
}
