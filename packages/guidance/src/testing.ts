export * from './testing/guidance-suite.js';
