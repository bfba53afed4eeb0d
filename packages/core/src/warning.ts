/** Something that a caller should know, though the work went on. */
export interface Warning {
  /** For a program: `prompt-truncated`, `unused-tensors`, `one-thread`. */
  readonly code: string;
  readonly message: string;
}
