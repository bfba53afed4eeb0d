import { readFileSync } from 'node:fs';

const mebibyte = 2 ** 20;

/** Peak resident memory of this process so far, in MiB. */
export function peakMemory() {
  return (process.resourceUsage().maxRSS * 1024) / mebibyte;
}

/** Current resident memory in MiB; on Linux without pages of mapped files, which the system can drop at any time. */
export function residentMemory() {
  if (process.platform !== 'linux') return process.memoryUsage.rss() / mebibyte;
  const [, kibibytes] = readFileSync('/proc/self/status', 'utf8').match(/RssAnon:\s+(\d+)/);
  return Number(kibibytes) / 1024;
}
