/** A token that is found in the text as it stands, before any splitting. */
export interface SpecialToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

export interface AddedToken extends SpecialToken {
  readonly id: number;
}
