export { createImage, type SdImage } from './image.js';
export { formatParameters, type ImageParameters, parseParameters, type ReadParameters } from './parameters.js';
export { encodePng, type Pixels, readParameters } from './png.js';
