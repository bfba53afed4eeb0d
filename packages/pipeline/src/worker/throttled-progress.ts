import type { DownloadProgress } from '@sd/source';

/** The shortest time between two reports, in milliseconds. */
const interval = 50;

/** Limits how often progress is sent: the latest of each file at intervals, and when flushed. */
export function throttledProgress(send: (progress: DownloadProgress) => void) {
  const latest = new Map<string, DownloadProgress>();
  let lastSent = 0;
  const flush = () => {
    for (const progress of latest.values()) send(progress);
    latest.clear();
    lastSent = performance.now();
  };
  return {
    report(progress: DownloadProgress) {
      latest.set(progress.path, progress);
      if (performance.now() - lastSent >= interval) flush();
    },
    flush,
  };
}
