import { readExif, writeExif } from '../exif/settings.js';
import type { FileFormat } from '../formats/format.js';
import { decodeJpeg } from './decode.js';
import { encodeJpeg } from './encode.js';
import { addExif, findExif } from './exif.js';

export const jpeg: FileFormat = {
  decode: decodeJpeg,
  encode: encodeJpeg,
  addSettings: (file, text) => addExif(file, writeExif(text)),
  async findSettings(file) {
    const exif = findExif(file);
    return exif === undefined ? {} : readExif(exif);
  },
};
