import type { Pixels } from '@sd/image';

/** Columns that an image takes at most. */
const maxColumns = 64;

/** An image as lines of half blocks in 24-bit color, two pixels per character, for any terminal. */
export function blocks({ width, height, data }: Pixels, columns = maxColumns): string[] {
  const cellsAcross = Math.min(width, columns, maxColumns);
  const scale = width / cellsAcross;
  const rows = Math.max(2, Math.round(height / scale / 2) * 2);
  const color = (row: number, column: number) => {
    const y = Math.min(height - 1, Math.floor((row + 0.5) * scale));
    const x = Math.floor((column + 0.5) * scale);
    return data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).join(';');
  };
  return Array.from({ length: rows / 2 }, (_, line) => {
    const cells = Array.from(
      { length: cellsAcross },
      (_, column) => `\x1b[38;2;${color(2 * line, column)};48;2;${color(2 * line + 1, column)}m▀`,
    );
    return `${cells.join('')}\x1b[0m`;
  });
}
