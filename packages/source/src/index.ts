export { clearCache } from './chunk-store.js';
export { filesByPath, openFiles, type PickedFiles } from './files.js';
export { defaultEndpoint, type HubName, hubUrl, parseHubName } from './hub/name.js';
export { type DownloadProgress, type OpenUrlOptions, openUrl, type UrlSource } from './url.js';
