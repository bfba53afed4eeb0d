export { type WithSdOptions, withSd } from './with-sd.js';
