export { clearCache } from './chunk-store.js';
export { filesByPath, openFiles, type PickedFiles } from './files.js';
export { type DownloadProgress, type OpenUrlOptions, openUrl, type UrlSource } from './url.js';
