export { createWebBackend, type WebBackendOptions } from './backend.js';
export type { WebProvider } from './choice.js';
export type { OrtModule, WasmPaths } from './runtime.js';
