import type { LaneWorker } from '../lanes.js';

export interface KeepLockOptions {
  readonly id: string;
  readonly token: string;
  readonly lockMs: number;
  /** Called once another worker may have the job. */
  onLoss(): void;
}

/** Renews a job's lock until the function that it returns is called. */
export function keepLock(lane: LaneWorker, { id, token, lockMs, onLoss }: KeepLockOptions): () => void {
  let isAsking = false;
  const timer = setInterval(async () => {
    // While the connection is lost, one question waits for it, not one for each period.
    if (isAsking) return;
    isAsking = true;
    try {
      const isHeld = (await lane.getBackend().extendLock(id, token, lockMs)) === 1;
      if (!isHeld) onLoss();
    } catch {
      // The lock runs out, and whoever checks next takes the job.
    } finally {
      isAsking = false;
    }
  }, lockMs / 3);
  return () => clearInterval(timer);
}
