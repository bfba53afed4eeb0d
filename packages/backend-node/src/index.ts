export { createNodeBackend, type NodeBackendOptions } from './backend.js';
export { createDeviceBackend, type Device } from './device.js';
export { openFolder } from './folder.js';
export type { Provider } from './providers.js';
