export type { Output, Streams } from './context.js';
export { exitCodes } from './exit-codes.js';
export { run } from './run.js';
