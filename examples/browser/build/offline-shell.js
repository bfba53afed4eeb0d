import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** Larger scripts are variants of ONNX Runtime, of which only one is used: it is cached when it is first requested. */
const largest = 250_000;

/** Writes the service worker, with the names of the files to cache in advance. */
export function offlineShell() {
  return {
    name: 'offline-shell',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.values(bundle).filter(({ fileName, ...file }) => {
          const length = (file.code ?? file.source).length;
          return /\.(html|js|css|svg|webmanifest)$/.test(fileName) && length < largest;
        });
        const still = readdirSync(new URL('../public/', import.meta.url));
        const shell = ['./', ...still, ...files.map(({ fileName }) => fileName)].sort();
        const version = createHash('sha256')
          .update(files.map((file) => file.code ?? file.source).join())
          .digest('hex');
        const source = readFileSync(new URL('../src/service-worker.js', import.meta.url), 'utf8')
          .replace("['the shell']", JSON.stringify(shell))
          .replace("'its version'", JSON.stringify(version.slice(0, 12)));
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
      },
    },
  };
}
