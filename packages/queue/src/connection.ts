import { InvalidOptionError, show } from '@sd/core';
import { Redis, type RedisOptions } from 'ioredis';

/** `redis://…` or `rediss://…`, a path of a unix socket, or the options of ioredis. */
export type ConnectionOption = string | RedisOptions;

/** The two connections that a queue or a worker has: one for commands, and one that listens. */
export interface Connections {
  readonly redis: Redis;
  /** Calls back for each message of a channel. Resolves once the server has subscribed it, to a function that ends it. */
  listen(channel: string, listener: (message: string) => void): Promise<() => void>;
  close(): void;
}

export interface ConnectOptions {
  /** How often a command is sent again after a lost connection before it fails. Null: for ever. */
  readonly retries: number | null;
}

/** Connects, and again whenever the connection is lost. Throws an InvalidOptionError for an address that is none. */
export function connect(connection: ConnectionOption, { retries }: ConnectOptions): Connections {
  const create = () => {
    const options: RedisOptions = {
      maxRetriesPerRequest: retries,
      retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 5), 2_000),
    };
    const made =
      typeof connection === 'string' ? new Redis(connection, options) : new Redis({ ...connection, ...options });
    // Commands say what failed; without a listener, ioredis writes to the console.
    made.on('error', () => undefined);
    return made;
  };
  checkConnection(connection);
  const redis = create();
  const subscriber = create();
  const listeners = new Map<string, Set<(message: string) => void>>();
  subscriber.on('message', (channel: string, message: string) => {
    for (const listener of [...(listeners.get(channel) ?? [])]) listener(message);
  });

  return {
    redis,
    async listen(channel, listener) {
      const known = listeners.get(channel);
      const all = known ?? new Set();
      all.add(listener);
      if (known === undefined) listeners.set(channel, all);
      const stop = () => {
        all.delete(listener);
        if (all.size > 0 || listeners.get(channel) !== all) return;
        listeners.delete(channel);
        subscriber.unsubscribe(channel).catch(() => undefined);
      };
      try {
        // Also where it is subscribed already: the reply comes after that of the first.
        await subscriber.subscribe(channel);
      } catch (error) {
        stop();
        throw error;
      }
      return stop;
    },
    close() {
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}

function checkConnection(connection: unknown): void {
  const isAddress = typeof connection === 'string' && /^(rediss?:\/\/|\/)/.test(connection);
  if (isAddress || (typeof connection === 'object' && connection !== null)) return;
  throw new InvalidOptionError(
    'connection',
    `must be an address such as redis://localhost:6379, or the options of ioredis, not ${show(connection)}.`,
  );
}
