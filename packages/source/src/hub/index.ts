export { type CachedModel, cachedModels, removeCachedModel } from './cached-models.js';
export { type HubProgress, type HubRepo, type OpenHubOptions, openHubRepo } from './repo.js';
export { type HubOptions, type HubSettings, hubSettings } from './settings.js';
