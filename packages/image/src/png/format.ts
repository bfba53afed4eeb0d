import type { FileFormat } from '../formats/format.js';
import type { Pixels } from '../pixels.js';
import { decodePng } from './decode.js';
import { addText, findText } from './text.js';
import { writePng } from './write.js';

/** PNG, with settings in text chunks by A1111's and ComfyUI's keywords. Opaque images have no alpha channel. */
export const png: FileFormat = {
  decode: decodePng,
  encode: (pixels) => writePng(pixels, isOpaque(pixels.data) ? 3 : 4),
  addSettings: (file, text) => addText(file, 'parameters', text),
  async findSettings(file) {
    const parameters = await findText(file, 'parameters');
    if (parameters !== undefined) return { parameters };
    return { prompt: await findText(file, 'prompt'), workflow: await findText(file, 'workflow') };
  },
};

function isOpaque(rgba: Pixels['data']): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}
