/** Where the model looked at a word of the prompt while it drew an image (DAAM, arXiv 2210.04885). */
export interface AttentionMap {
  /** As it is written in the prompt, without punctuation around it. */
  readonly word: string;
  /** Its place among the words of its prompt, from 0. */
  readonly index: number;
  /** Index of its prompt, in a run that composes several; otherwise 0. */
  readonly prompt: number;
  /** The size of the finished latents: an eighth of the image's. */
  readonly width: number;
  readonly height: number;
  /** Row by row, the probability of the word's tokens in cross-attention, from 0 to 1 and mostly far below 1. */
  readonly data: Float32Array;
}
