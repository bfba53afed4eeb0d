import { readBits } from './bits.js';
import { type BlockTables, progressive, type ScanPart, sequential } from './blocks.js';
import type { Component, Frame } from './frame.js';
import type { Huffman } from './huffman.js';

/** Huffman tables by their places. */
export interface Tables {
  readonly dc: readonly (Huffman | undefined)[];
  readonly ac: readonly (Huffman | undefined)[];
}

/**
 * Reads a scan, whose header is `header` and whose bits begin at `start`, into the frame's coefficients. Gives the place
 * of the next marker. ITU-T T.81, A.2 and B.2.3.
 */
export function readScan(
  bytes: Uint8Array,
  start: number,
  header: Uint8Array,
  frame: Frame,
  tables: Tables,
  restartInterval: number,
): number {
  const count = header[0] ?? 0;
  if (count < 1 || count > 4 || header.length < 4 + 2 * count) throw new Error('a scan header is cut off');
  const [first, last, shifts] = header.subarray(1 + 2 * count) as unknown as [number, number, number];
  const part: ScanPart = { first, last, before: shifts >> 4, now: shifts & 15 };
  if (frame.progressive) checkPart(part, count);
  const readBlock = frame.progressive ? progressive(part) : sequential;

  const parts = Array.from({ length: count }, (_, i) => {
    const [id, places] = [header[1 + 2 * i]!, header[2 + 2 * i]!];
    const component = frame.components.find((component) => component.id === id);
    if (component === undefined) throw new Error(`a scan is of the component ${id}, which is not there`);
    const blockTables: BlockTables = {
      dc: tables.dc[places >> 4] ?? missing,
      ac: tables.ac[places & 15] ?? missing,
      component: i,
    };
    return { component, blockTables };
  });

  const bits = readBits(bytes, start);
  const state = { endRun: 0, dc: new Int32Array(4) };
  const read = ({ component, blockTables }: (typeof parts)[number], column: number, row: number) => {
    readBlock(bits, component.coefficients, (row * component.columns + column) * 64, blockTables, state);
  };
  const [columns, rows] = count === 1 ? blocksOf(parts[0]!.component) : [frame.unitColumns, frame.unitRows];
  for (let unit = 0; unit < columns * rows; unit++) {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      bits.restart();
      state.endRun = 0;
      state.dc.fill(0);
    }
    const [column, row] = [unit % columns, Math.floor(unit / columns)];
    if (count === 1) {
      read(parts[0]!, column, row);
      continue;
    }
    for (const part of parts) {
      const { across, down } = part.component;
      for (let i = 0; i < across * down; i++) {
        read(part, column * across + (i % across), row * down + Math.floor(i / across));
      }
    }
  }
  return bits.end();
}

/** A scan of one component has its own blocks only, none that fill a unit up. */
function blocksOf({ width, height }: Component): readonly [number, number] {
  return [Math.ceil(width / 8), Math.ceil(height / 8)];
}

function checkPart({ first, last, before, now }: ScanPart, count: number): void {
  const dc = first === 0 && last === 0;
  const ac = first > 0 && first <= last && last < 64 && count === 1;
  if (!(dc || ac) || now > 13 || (before !== 0 && before !== now + 1)) throw new Error('a scan header cannot be');
}

function missing(): never {
  throw new Error('a scan wants a Huffman table that is not there');
}
