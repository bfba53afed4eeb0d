/** What an app loads before its first picture: lazily imported packages are not in it, and core and ONNX Runtime neither. */
const lazy = {
  name: 'lazy',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

/** Minified and gzipped, for browsers: what needs Node's own modules fails. */
function bundle(name, names, limit) {
  return {
    name: `${name}: ${names}`,
    path: `packages/${name.slice('@sd/'.length)}/dist/index.js`,
    import: names,
    limit,
    gzip: true,
    modifyEsbuildConfig: (config) => ({ ...config, format: 'esm', target: 'es2022', plugins: [lazy] }),
  };
}

export default [
  bundle('@sd/core', '*', '6 kB'),
  bundle('@sd/graph', '*', '30 kB'),
  bundle('@sd/tokenizer', '*', '20 kB'),
  bundle('@sd/text-encoder', '*', '30 kB'),
  bundle('@sd/scheduler', '*', '12 kB'),
  bundle('@sd/scheduler', '{ euler }', '3 kB'),
  bundle('@sd/unet', '*', '30 kB'),
  bundle('@sd/vae', '*', '30 kB'),
  bundle('@sd/pipeline', '{ loadPipeline }', '60 kB'),
];
