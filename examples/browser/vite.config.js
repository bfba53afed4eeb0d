import { fileURLToPath } from 'node:url';
import { folder } from '@sd/model-tiny';
import { defineConfig } from 'vite';
import { modelFiles, sizeOf } from './build/model-files.js';
import { offlineShell } from './build/offline-shell.js';

/** Threads of WebAssembly share memory, which takes a page that is cross-origin isolated. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const model = fileURLToPath(folder);

export default defineConfig(({ command, isPreview }) => ({
  // Addresses from the page's own on, so that the build works in any folder of a server.
  base: './',
  // A file that is not there is an error, not the page.
  appType: 'mpa',
  define: {
    __MODEL_URL__: JSON.stringify(command === 'serve' && !isPreview ? `/@fs${model}` : 'model/'),
    __MODEL_BYTES__: JSON.stringify(sizeOf(model)),
  },
  plugins: [modelFiles(model), offlineShell()],
  worker: { format: 'es' },
  // ONNX Runtime finds its WebAssembly beside itself.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  server: { headers },
  preview: { headers },
}));
