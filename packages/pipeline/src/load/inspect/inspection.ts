import type { FamilyId } from '../single-file/families.js';

/** What a file or folder may be. */
export type FileKind =
  | 'pipeline'
  | 'unet'
  | 'vae'
  | 'text-encoder'
  | 'image-encoder'
  | 'lora'
  | 'controlnet'
  | 't2i-adapter'
  | 'ip-adapter'
  | 'textual-inversion'
  | 'hypernetwork'
  | 'motion-adapter'
  | 'onnx'
  | 'unknown';

/** A value that an inspection tells: rank, token, number of modules. */
export type Detail = string | number | boolean | readonly (string | number)[];

/** What a file or folder is, as far as its names, shapes and configs tell. No weights are read for it. */
export interface Inspection {
  readonly kind: FileKind;
  /** The family of models that it is, or is for, where that can be told. */
  readonly family?: FamilyId;
  /** How its tensors are named: `diffusers`, `original`, `kohya`, and so on. */
  readonly layout?: string;
  /** Types of its values, the most frequent first, by safetensors' names. */
  readonly dtypes: readonly string[];
  readonly details: Readonly<Record<string, Detail>>;
  /** What can be done with it here, in a sentence. */
  readonly canDo: string;
}

/** What finds out a kind says; the rest follows. */
export type Finding = Omit<Inspection, 'dtypes' | 'canDo' | 'details'> & {
  readonly details?: Readonly<Record<string, Detail | undefined>>;
  /** In place of the sentence that its kind has. */
  readonly canDo?: string;
};
