export { hypernetwork } from './hypernetwork/hypernetwork.js';
export { type T2iAdapterConfig, t2iAdapterConfig } from './t2i-adapter/config.js';
export { t2iAdapterCondition, t2iAdapterInputs } from './t2i-adapter/residuals.js';
export { type LoadT2iAdapterOptions, loadT2iAdapter, type T2iAdapter } from './t2i-adapter/t2i-adapter.js';
