import type { Redis } from 'ioredis';
import type { StoredEvent } from '../events.js';
import type { Keys } from '../keys.js';
import { type AppendResult, append } from '../scripts/append.js';

export interface ReporterOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly id: string;
  readonly token: string;
  readonly keepMs: number;
  /** Called if the job is no longer this worker's. */
  onLoss(result: Exclude<AppendResult, 'appended'>): void;
}

/** Tells those who watch a job what happens to it. */
export function createReporter({ redis, keys, id, token, keepMs, onLoss }: ReporterOptions) {
  let sending: Promise<void> | undefined;
  let next: StoredEvent | undefined;

  async function send(event: StoredEvent): Promise<void> {
    const result = await append(redis, keys, { id, token, event: JSON.stringify(event), keepMs });
    if (result !== 'appended') onLoss(result);
  }

  async function sendNewest(): Promise<void> {
    for (let event = next; event !== undefined; event = next) {
      next = undefined;
      // A connection that is closed ends the job by its lock.
      await send(event).catch(() => undefined);
    }
    sending = undefined;
  }

  return {
    /** Sends an event, after all before it. */
    async send(event: StoredEvent): Promise<void> {
      await sending;
      await send(event);
    },
    /** Sends an event of which only the newest matters, without a wait: drawing is not held by the network. */
    sendSoon(event: StoredEvent): void {
      next = event;
      sending ??= sendNewest();
    },
  };
}
