import { readFile } from 'node:fs/promises';
import { decode } from 'fast-png';
import { readParameters } from '../../packages/pipeline/dist/index.js';

/**
 * Throws unless the file is a PNG that decodes, has something on it, and says what it was made with.
 * @param {string} file
 * @param {{ prompt?: string }} [expected]
 */
export async function checkPicture(file, { prompt } = {}) {
  const bytes = await readFile(file);
  const { width, height, data } = decode(bytes, { checkCrc: true });
  const deviation = standardDeviation(data);
  if (!(deviation > 8)) throw new Error(`${file}: nothing is on it (its values deviate by ${deviation} of 255).`);

  const read = await readParameters(bytes);
  const { Steps, Seed, Size } = read?.settings ?? {};
  const says = JSON.stringify(read);
  if (Size !== `${width}x${height}` || !/^\d+$/.test(Seed ?? '') || !(Number(Steps) > 0)) {
    throw new Error(`${file}: ${width} x ${height}, but its parameters are ${says}.`);
  }
  if (prompt !== undefined && read?.prompt !== prompt) throw new Error(`${file}: made from ${says}, not "${prompt}".`);
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
