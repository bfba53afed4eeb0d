export { joinedHooks } from './extension.js';
export { timeEmbedding } from './time-embedding.js';
export { transformerBlock } from './transformer.js';
export { middle, wayDown } from './way-down.js';
