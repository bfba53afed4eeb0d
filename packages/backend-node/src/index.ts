export { createNodeBackend, type NodeBackendOptions } from './backend.js';
export { openFolder } from './folder.js';
export type { Provider } from './providers.js';
