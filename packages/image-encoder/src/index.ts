export { type ClipImageEncoder, type LoadImageEncoderOptions, loadImageEncoder } from './clip-image-encoder.js';
export { clipVisionGraph } from './clip-vision-graph.js';
export { type ClipVisionConfig, clipVisionConfig } from './config.js';
export { clipPreprocessing, imagePreprocessing } from './preprocessing.js';
