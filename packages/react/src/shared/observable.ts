/** A value that others watch. */
export interface Observable<T> {
  readonly current: T;
  /** Calls back after every change. Returns a function that ends that. */
  subscribe(listener: () => void): () => void;
}

export interface ObservableValue<T> extends Observable<T> {
  /** Replaces the given fields by new ones, in a new object. */
  change(fields: Partial<T>): void;
}

export function observable<T extends object>(initial: T): ObservableValue<T> {
  const listeners = new Set<() => void>();
  let current = initial;
  return {
    get current() {
      return current;
    },
    change(fields) {
      current = { ...current, ...fields };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
