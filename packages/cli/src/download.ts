import { download } from '@sd/pipeline';
import type { Command } from 'commander';
import { formatBytes } from './bytes.js';
import type { Context } from './context.js';
import { createProgressBar } from './terminal/progress-bar.js';

interface DownloadValues {
  readonly revision?: string;
  readonly variant?: string;
  readonly token?: string;
  readonly json?: boolean;
}

export function addDownload(program: Command, context: Context): void {
  program
    .command('download')
    .description('Downloads a model or adapter from the hub, to the cache that Python uses too.')
    .argument('<names...>', 'owner/name, owner/name/file.safetensors, or hf://owner/name@revision.')
    .option('--revision <name>', 'The branch, tag or commit. (default: main)')
    .option('--variant <name>', 'The variant of the weights to prefer, such as fp16.')
    .option(
      '--token <text>',
      'A token for gated and private models. (default: HF_TOKEN, or what `hf auth login` stored)',
    )
    .option('--json', 'Writes a line of JSON for each name.')
    .action(async (names: string[], { json, ...options }: DownloadValues) => {
      for (const name of names) {
        await withProgress(context, (onProgress) => download(name, { ...options, onProgress, signal: context.signal }));
        context.stdout.write(
          json === true ? `${JSON.stringify({ downloaded: name })}\n` : `${name} is in the cache.\n`,
        );
      }
    });
}

type OnProgress = (progress: { readonly path: string; readonly loaded: number; readonly total: number }) => void;

/** Shows a progress bar in a terminal. */
async function withProgress(
  { stderr }: Context,
  work: (onProgress: OnProgress | undefined) => Promise<void>,
): Promise<void> {
  if (stderr.isTTY !== true) return work(undefined);
  const bar = createProgressBar(stderr, '{bar} {percentage}% of {size}  {path}');
  bar.start(1, 0, { size: '', path: '' });
  try {
    await work(({ path, loaded, total }) => {
      bar.setTotal(Math.max(total, 1));
      bar.update(loaded, { path, size: formatBytes(total) });
    });
  } finally {
    bar.stop();
  }
}
