import cliProgress from 'cli-progress';
import type { Output } from '../context.js';

/** A progress bar, which leaves nothing in the terminal when it ends. Nothing is shown before its `start`. */
export function createProgressBar(stream: Output, format: string): cliProgress.SingleBar {
  const options = { format, hideCursor: true, clearOnComplete: true, stream: stream as NodeJS.WriteStream };
  return new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic);
}
