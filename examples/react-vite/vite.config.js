import { fileURLToPath } from 'node:url';
import { folder } from '@sd/model-tiny';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Threads of WebAssembly share memory, which needs a cross-origin isolated page. */
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  plugins: [react()],
  // The embedded model's files, at the addresses /unet/..., /vae/...
  publicDir: fileURLToPath(folder),
  worker: { format: 'es' },
  // These find their worker and their WebAssembly next to themselves.
  optimizeDeps: { exclude: ['@sd/react', 'onnxruntime-web'] },
  build: { chunkSizeWarningLimit: 1000 },
  server: { headers },
  preview: { headers },
});
