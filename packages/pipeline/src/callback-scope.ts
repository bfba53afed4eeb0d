import { InvalidOptionError } from '@sd/core';

/** Knows which calls come from within a callback. */
export interface CallbackScope {
  /** Calls back, and resolves or rejects as the callback does. */
  run(callback: () => void | Promise<void>): Promise<void>;
  /** Throws an InvalidOptionError (`onStep`) if the caller runs within a callback. */
  checkOutside(): void;
}

/** The part of Node's AsyncLocalStorage that this uses. */
interface Storage {
  run<T>(store: { active: boolean }, action: () => T): T;
  getStore(): { active: boolean } | undefined;
}

/**
 * In Node, Deno and Bun calls are recognised wherever a callback makes them; in browsers, which cannot tell after its first
 * `await`, those before it.
 */
export function createCallbackScope(): CallbackScope {
  const storage = asyncStorage();
  let current: { active: boolean } | undefined;
  return {
    async run(callback) {
      const store = { active: true };
      const before = current;
      current = store;
      try {
        const returned = storage === undefined ? callback() : storage.run(store, callback);
        current = before;
        await returned;
      } finally {
        current = before;
        store.active = false;
      }
    },
    checkOutside() {
      const store = storage === undefined ? current : storage.getStore();
      if (store?.active !== true) return;
      throw new InvalidOptionError(
        'onStep',
        'called a method of its own pipeline, which runs one request at a time and would wait for this one. Call it after generate(), or read the events of stream().',
      );
    },
  };
}

function asyncStorage(): Storage | undefined {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: string): { AsyncLocalStorage: new () => Storage } | undefined };
  };
  const hooks = process?.getBuiltinModule?.('async_hooks');
  return hooks && new hooks.AsyncLocalStorage();
}
