/**
 * Where images are: those that jobs start from, and those that workers draw. Queue and workers must see the same one. Keys
 * are paths of letters, digits, `-`, `_`, `.` and `/`.
 */
export interface Store {
  /** Stores bytes, all or none of them; what is there already is replaced. */
  put(key: string, bytes: Uint8Array, options: PutOptions): Promise<void>;
  /** Resolves to undefined if there are none, or no more. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Deletes them, if they are there. */
  delete(key: string): Promise<void>;
}

export interface PutOptions {
  /** After how long they may be deleted. Workers delete what has expired, so that a store need not. */
  readonly ttlMs: number;
}
