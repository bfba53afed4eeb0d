import { readFile } from 'node:fs/promises';
import { decode } from 'fast-png';
import { readParameters } from '../../packages/image/dist/index.js';

/**
 * Throws unless the file is a valid PNG that is not blank and records its parameters.
 * @param {string} file
 * @param {{ prompt?: string }} [expected]
 */
export async function checkPicture(file, { prompt } = {}) {
  const bytes = await readFile(file);
  const { width, height, data } = decode(bytes, { checkCrc: true });
  const deviation = standardDeviation(data);
  if (!(deviation > 8))
    throw new Error(`${file} is blank: the standard deviation of its values is ${deviation} of 255.`);

  const read = await readParameters(bytes);
  const { Steps, Seed, Size } = read?.settings ?? {};
  const recorded = JSON.stringify(read);
  if (Size !== `${width}x${height}` || !/^\d+$/.test(Seed ?? '') || !(Number(Steps) > 0)) {
    throw new Error(`${file}: ${width} x ${height}, but its parameters are ${recorded}.`);
  }
  if (prompt !== undefined && read?.prompt !== prompt)
    throw new Error(`${file}: it records ${recorded}, not "${prompt}".`);
}

/** @param {ArrayLike<number>} values */
function standardDeviation(values) {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    squares += values[i] ** 2;
  }
  const mean = sum / values.length;
  return Math.sqrt(squares / values.length - mean ** 2);
}
