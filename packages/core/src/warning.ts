/** Something that a caller should know but that did not stop the work. */
export interface Warning {
  /** For programs: `prompt-truncated`, `unused-tensors`, `one-thread`. */
  readonly code: string;
  readonly message: string;
}
