import { fileURLToPath } from 'node:url';
import { folder } from '@sd/model-tiny';
import { defineConfig } from 'vite';
import { modelFiles, sizeOf } from './build/model-files.js';
import { offlineShell } from './build/offline-shell.js';

/** WebAssembly threads share memory, which needs a cross-origin isolated page. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const model = fileURLToPath(folder);

export default defineConfig(({ command, isPreview }) => ({
  // Relative URLs, so that the build works in any folder of a server.
  base: './',
  // A missing file gives an error instead of the page.
  appType: 'mpa',
  define: {
    __MODEL_URL__: JSON.stringify(command === 'serve' && !isPreview ? `/@fs${model}` : 'model/'),
    __MODEL_BYTES__: JSON.stringify(sizeOf(model)),
  },
  plugins: [modelFiles(model), offlineShell()],
  worker: { format: 'es' },
  // ONNX Runtime looks for its WebAssembly next to its script.
  optimizeDeps: { exclude: ['onnxruntime-web'] },
  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  server: { headers },
  preview: { headers },
}));
