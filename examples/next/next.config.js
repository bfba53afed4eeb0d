import { withSd } from '@sd/next';

export default withSd({
  output: 'standalone',
  // Threads of WebAssembly, for the page that draws in the browser where there is no WebGPU.
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
        { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
      ],
    },
  ],
});
