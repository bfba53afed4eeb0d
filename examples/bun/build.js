// bun build.js [FOLDER]: compiles draw.js into a program that needs neither Bun nor node_modules.
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder as model } from '@sd/model-tiny';
import { $ } from 'bun';

const out = path.resolve(process.argv[2] ?? 'out');
const backend = fileURLToPath(import.meta.resolve('@sd/backend-node'));
const runtime = Bun.resolveSync('onnxruntime-node/package.json', path.dirname(backend));
const system = `bin/napi-v6/${process.platform}/${process.arch}`;

// The backend's thread is a second entry, which it expects next to the first.
const worker = path.join(path.dirname(backend), 'worker.js');
await $`bun build --compile --entry-naming [name].[ext] --external onnxruntime-node draw.js ${worker} --outfile ${out}/draw`;
// A compiled program finds files, not packages: ONNX Runtime becomes one file.
const bundle = path.join(out, 'onnxruntime/dist/index.cjs');
await $`bun build --target=bun --format=cjs ${path.join(path.dirname(runtime), 'dist/index.js')} --outfile ${bundle}`;
await cp(path.join(path.dirname(runtime), system), path.join(out, 'onnxruntime', system), { recursive: true });
await cp(fileURLToPath(model), path.join(out, 'model'), { recursive: true });
