export type { SdImageOptions } from './generate-options.js';
export { createSd, embeddedModel, type SdProvider, type SdProviderSettings, sd } from './provider.js';
