export { hypernetwork } from './hypernetwork/hypernetwork.js';
