export { euler } from './src/index.ts';
