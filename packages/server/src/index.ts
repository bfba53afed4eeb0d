export * from './engine.js';
export * from './engine-errors.js';
