import { createWebBackend, type WebBackendOptions, type WebProvider } from '@sd/backend-web';

/** What everything is tested on. */
export const providers = ['wasm', 'webgpu'] as const satisfies readonly WebProvider[];

export const backendOn = (provider: WebProvider, options: WebBackendOptions = {}) =>
  createWebBackend({ provider, threads: 2, ...options });
