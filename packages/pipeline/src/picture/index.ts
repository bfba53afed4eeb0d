export type { Pixels } from '../image/index.js';
export { type AnimateOptions, animate } from './animate.js';
export { type ContactSheetOptions, contactSheet } from './contact-sheet.js';
export { enlarge } from './enlarge.js';
export { type Fit, type FitPictureOptions, fitPicture } from './fit.js';
export { type OutpaintOptions, outpaint } from './outpaint.js';
export { type PictureInput, readPicture } from './read.js';
export { type RecordedRun, recordRun } from './record-run.js';
export { latentMask, maskTensor, pictureTensor } from './tensors.js';
