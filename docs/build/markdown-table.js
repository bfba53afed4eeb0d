/**
 * A table as Markdown, its columns padded as the repository's formatter pads them.
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | undefined)[])[]} rows
 */
export function markdownTable(head, rows) {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell ?? '–'));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const line = (/** @type {readonly string[]} */ row) => `| ${row.join(' | ')} |`;
  const [first, ...others] = cells.map((row) => line(row.map((cell, i) => cell.padEnd(widths[i]))));
  return [first, line(widths.map((width) => '-'.repeat(width))), ...others].join('\n');
}
