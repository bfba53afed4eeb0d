// A run, imported when the first one begins, so that an app loads less at its start.
export { batchOf, parseRequest } from './parse-request.js';
export { draw } from './run.js';
