export type { Pixels } from '../image/index.js';
export { type Fit, type FitPictureOptions, fitPicture } from './fit.js';
export { type PictureInput, readPicture } from './read.js';
export { latentMask, maskTensor, pictureTensor } from './tensors.js';
