import { InvalidOptionError } from '@sd/core';
import { checkSize } from '../size.js';

/** One of a picture's planes: luma, chroma, or a colour. */
export interface Component {
  readonly id: number;
  /** Sampling: how many blocks across and down in each unit. */
  readonly across: number;
  readonly down: number;
  readonly quantization: number;
  /** Samples that count, of those in the blocks. */
  readonly width: number;
  readonly height: number;
  /** Blocks that there are, whole units' worth. */
  readonly columns: number;
  readonly rows: number;
  /** 64 for each block, row by row. */
  readonly coefficients: Int16Array;
}

/** What a picture's header says. */
export interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly maxAcross: number;
  readonly maxDown: number;
  /** Units across and down. */
  readonly unitColumns: number;
  readonly unitRows: number;
  readonly components: readonly Component[];
}

/** Reads a frame header, ITU-T T.81, B.2.2. Throws an InvalidOptionError for a kind or size that is not read. */
export function readFrame(marker: number, data: Uint8Array, option: string): Frame {
  const refuse = (what: string) => new InvalidOptionError(option, `is a JPEG file ${what}, which is not read.`);
  if (marker > 0xc2) throw refuse(marker > 0xc8 ? 'with arithmetic coding' : 'of the lossless or hierarchical kind');
  if (data.length < 6 || data.length < 6 + 3 * data[5]!) throw new Error('its frame header is cut off');
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [precision, height, width, count] = [data[0]!, view.getUint16(1), view.getUint16(3), data[5]!];
  if (precision !== 8) throw refuse(`of ${precision} bits`);
  if (![1, 3, 4].includes(count)) throw refuse(`of ${count} components`);
  if (height === 0) throw refuse('that says its height only at the end');
  checkSize(width, height, option);

  const given = Array.from({ length: count }, (_, i) => {
    const [id, sampling, quantization] = data.subarray(6 + 3 * i) as unknown as [number, number, number];
    return { id, across: sampling >> 4, down: sampling & 15, quantization };
  });
  const maxAcross = Math.max(...given.map(({ across }) => across));
  const maxDown = Math.max(...given.map(({ down }) => down));
  if (given.some(({ across, down }) => across < 1 || across > 4 || down < 1 || down > 4)) {
    throw new Error('its sampling factors cannot be');
  }
  if (given.some(({ across, down }) => maxAcross % across !== 0 || maxDown % down !== 0)) {
    throw refuse('whose planes are scaled by fractions');
  }
  const unitColumns = Math.ceil(width / (8 * maxAcross));
  const unitRows = Math.ceil(height / (8 * maxDown));
  const components = given.map((component) => {
    const columns = unitColumns * component.across;
    const rows = unitRows * component.down;
    return {
      ...component,
      width: Math.ceil((width * component.across) / maxAcross),
      height: Math.ceil((height * component.down) / maxDown),
      columns,
      rows,
      coefficients: new Int16Array(columns * rows * 64),
    };
  });
  return { progressive: marker === 0xc2, width, height, maxAcross, maxDown, unitColumns, unitRows, components };
}
