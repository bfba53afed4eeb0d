export { downPath, midBlock } from './down-path.js';
export { joinedHooks } from './extension.js';
export { timeEmbedding } from './time-embedding.js';
export { transformerBlock } from './transformer.js';
