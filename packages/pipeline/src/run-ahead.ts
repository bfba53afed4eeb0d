/** When a run continues without its reader, and how many events it keeps. */
export interface RunAheadOptions<Event> {
  /** Resolves when the run should no longer wait for its reader. */
  readonly hurry: Promise<void>;
  /** How many events are kept for a reader that is behind, not counting those that must not be dropped. */
  readonly limit: number;
  canDrop(event: Event): boolean;
  /** Aborts the run when its reader leaves. */
  abort(): void;
}

interface Unread<Event, Result> {
  readonly next: Promise<IteratorResult<Event, Result>>;
  canDrop: boolean;
}

/**
 * A run that advances as its events are read, until `hurry`: from then on it continues to its end by itself, so that a slow
 * reader, or one that has stopped, does not block others. Unread events are kept; if there are more than `limit`, the
 * oldest are dropped. Leaving the loop ends the run.
 */
export async function* runAhead<Event, Result>(
  run: AsyncGenerator<Event, Result, void>,
  { hurry, limit, canDrop, abort }: RunAheadOptions<Event>,
): AsyncGenerator<Event, Result, void> {
  const unread: Unread<Event, Result>[] = [];
  let isAhead = false;
  let isOver = false;

  async function goOn(): Promise<void> {
    isAhead = true;
    while (!isOver) {
      const event = { next: run.next(), canDrop: false };
      unread.push(event);
      const { done, value } = await event.next;
      if (done) isOver = true;
      else event.canDrop = canDrop(value);
      const droppable = unread.filter((waiting) => waiting.canDrop);
      if (droppable.length > limit) unread.splice(unread.indexOf(droppable[0]), 1);
      // WebAssembly computes a step without a pause: messages, and with them readers and aborts, get their turn here.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  hurry.then(goOn).catch(() => {
    // The reader gets this error when it asks for the next event.
    isOver = true;
  });
  try {
    for (;;) {
      const { done, value } = await (unread.shift()?.next ?? run.next());
      if (done) {
        isOver = true;
        return value;
      }
      yield value;
    }
  } finally {
    if (isAhead && !isOver) abort();
    isOver = true;
    await run.return(undefined as never);
  }
}
