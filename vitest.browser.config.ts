import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { sd1 } from './fixtures/golden.js';

/** Debian's browser, with WebGPU on the processor, which its flags call unsafe. */
const chromium = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
};

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the server has the folder of the SD 1 fixture. */
    sd1: string;
  }
}

export default defineConfig({
  server: {
    // Threads of WebAssembly share memory, which takes a page that is cross-origin isolated.
    headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
  },
  optimizeDeps: {
    // It finds its WebAssembly beside itself.
    exclude: ['onnxruntime-web'],
    // Found only when a test imports them, they would reload the page.
    include: ['react', 'react-dom/client', 'vitest-browser-react'],
  },
  test: {
    include: ['test-browser/**/*.test.ts'],
    globalSetup: ['fixtures/make.js'],
    provide: { sd1: `/@fs${sd1}/` },
    testTimeout: 300_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromium }),
      instances: [{ browser: 'chromium' }],
    },
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'out/browser-tests.json' }]] : ['default'],
  },
});
