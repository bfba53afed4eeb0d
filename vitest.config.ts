import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'fuzz/test/**/*.test.js'],
    globalSetup: ['fixtures/make.js'],
    // By default one fewer than there are processors, which most of the tests leave idle half of the time.
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: process.env.TEST_REPORT ?? 'out/tests.json' }]]
      : ['default'],
  },
});
