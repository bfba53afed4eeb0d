import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

/** A file that `fixtures/make.js` makes, by its path. */
export const fixture = (path) => fileURLToPath(new URL(`fixtures/.made/${path}`, root));

/** A file of the embedded model. */
export const tinyModel = (path = '') => fileURLToPath(new URL(`packages/model-tiny/model/${path}`, root));

/** A file of the repository. */
export const repositoryFile = (path) => fileURLToPath(new URL(path, root));
