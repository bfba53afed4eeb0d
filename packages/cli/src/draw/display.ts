import type { Warning } from '@sd/core';
import type { SdImage } from '@sd/image';
import type { StepEvent, Timings } from '@sd/pipeline';
import type { Streams } from '../context.js';
import { blocks } from '../terminal/blocks.js';
import { createProgressBar } from '../terminal/progress-bar.js';
import { protocolFor, showImage } from '../terminal/protocols.js';
import type { DrawValues } from './values.js';

/** The output of a run, for a person or, with `--json`, a program. */
export interface Display {
  warn(warning: Warning): void;
  step(event: StepEvent): Promise<void>;
  image(image: SdImage, saved: { readonly file: string; readonly seed: bigint }): Promise<void>;
  finish(timings: Timings, files: readonly string[]): void;
  /** Restores the terminal; must be called at the end, also after a failure. */
  close(): void;
}

export function createDisplay(values: DrawValues, streams: Streams): Display {
  return values.json === true ? jsonDisplay(streams) : terminalDisplay(values, streams);
}

/** One line of JSON per event; a seed beyond 2^53 is a string. */
function jsonDisplay({ stdout }: Streams): Display {
  const line = (event: object) => stdout.write(`${JSON.stringify(event)}\n`);
  return {
    warn: ({ code, message }) => line({ type: 'warning', code, message }),
    step: async () => undefined,
    async image({ width, height }, { file, seed }) {
      const exact = Number(seed);
      line({ type: 'image', file, seed: Number.isSafeInteger(exact) ? exact : String(seed), width, height });
    },
    finish: (timings, files) => line({ type: 'done', files, timings }),
    close: () => undefined,
  };
}

function terminalDisplay({ preview, show }: DrawValues, { stdout, stderr }: Streams): Display {
  const bar = progressBar(stderr);
  const protocol = protocolFor(show, stdout);
  return {
    warn({ message }) {
      bar.stop();
      stderr.write(`Note: ${message}\n`);
    },
    async step(event) {
      if (preview === true && stderr.isTTY) bar.show(blocks(await event.preview(), stderr.columns));
      bar.update(event.step + 1, event.steps);
    },
    async image(image, { file, seed }) {
      bar.stop();
      if (protocol !== undefined) stdout.write(`${await showImage(image, protocol, stdout.columns)}\n`);
      stdout.write(`${file}  (seed ${seed}, ${image.width} x ${image.height})\n`);
    },
    finish({ encode, denoise, decode }) {
      const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
      stderr.write(`Text ${seconds(encode)}, steps ${seconds(denoise)}, decoding ${seconds(decode)}\n`);
    },
    close: bar.stop,
  };
}

/** A bar for the steps of an image, with a preview above it; silent where there is no terminal. */
function progressBar(stream: Streams['stderr']) {
  const bar = createProgressBar(stream, '{bar} step {value} of {total}');
  let shownLines = 0;
  const stop = () => {
    bar.stop();
    // Back to the first line of the preview, and clears all below.
    if (shownLines > 0) stream.write(`\x1b[${shownLines}A\x1b[J`);
    shownLines = 0;
  };
  return {
    stop,
    show(lines: readonly string[]) {
      stop();
      stream.write(`${lines.join('\n')}\n`);
      shownLines = lines.length;
    },
    update(value: number, total: number) {
      if (!stream.isTTY) return;
      if (!bar.isActive) bar.start(total, 0);
      bar.update(value);
    },
  };
}
