import { Worker } from 'node:worker_threads';
import { createNativeGate } from './native-gate.js';

// Native calls block their thread, so ONNX Runtime runs in another one here too: this one notices when the parent is gone.
const workerData = { ...JSON.parse(process.argv[2]), gate: createNativeGate() };
const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
worker.on('message', (reply) => process.send?.(reply));
worker.on('error', () => process.exit(1));
worker.on('exit', () => process.disconnect());
process.on('message', (request) => worker.postMessage(request));
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
