/** Where a command reads and writes, such as `process`. */
export interface Streams {
  readonly stdin: AsyncIterable<string | Uint8Array>;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What every command works with. */
export interface Context extends Streams {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
