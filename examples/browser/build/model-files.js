import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true }).filter((name) => statSync(path.join(folder, name)).isFile());

/** Total size of a folder's files, in bytes. */
export const sizeOf = (folder) =>
  filesOf(folder).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);

/** Copies a model's files into the build unchanged. */
export function modelFiles(folder) {
  return {
    name: 'model-files',
    apply: 'build',
    generateBundle() {
      for (const name of filesOf(folder)) {
        const fileName = `model/${name.split(path.sep).join('/')}`;
        this.emitFile({ type: 'asset', fileName, source: readFileSync(path.join(folder, name)) });
      }
    },
  };
}
