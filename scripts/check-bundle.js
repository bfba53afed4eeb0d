// Builds a browser app that only imports `loadPipeline`, with Vite, and checks its output: no Node code, except in ONNX
// Runtime, which detects its platform, and a first load of less than 60 kB.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { root } from './support/packages.js';

const limit = 60_000;
const cache = path.join(root, 'node_modules/.cache');
await mkdir(cache, { recursive: true });
// Inside the repository, so that imports resolve as in an app.
const app = await mkdtemp(path.join(cache, 'bundle-'));
try {
  await writeFile(path.join(app, 'index.html'), '<script type="module" src="./main.js"></script>');
  await writeFile(
    path.join(app, 'main.js'),
    "import { loadPipeline } from '@sd/pipeline';\nglobalThis.load = loadPipeline;",
  );
  const { output } = await build({ root: app, logLevel: 'error', build: { write: false } });
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])));
  for (const [name, { code }] of chunks) {
    const found = name.includes('/ort.') ? null : code.match(/.{0,80}(?:["'`]node:\w+|__vite-browser-external).{0,40}/);
    if (found !== null) throw new Error(`${name} contains Node code: ${found[0]}`);
  }
  const first = new Set();
  const visit = (name) => {
    if (first.has(name)) return;
    first.add(name);
    for (const next of chunks.get(name)?.imports ?? []) visit(next);
  };
  visit([...chunks.values()].find((chunk) => chunk.isEntry).fileName);
  // Compressed together, as size-limit does.
  const bytes = gzipSync([...first].map((name) => chunks.get(name).code).join('')).length;
  console.log(`first load: ${(bytes / 1000).toFixed(1)} kB in ${first.size} files, ${chunks.size} in all`);
  if (bytes > limit) throw new Error(`The first load is ${bytes} bytes, more than ${limit}.`);
} finally {
  await rm(app, { recursive: true });
}
