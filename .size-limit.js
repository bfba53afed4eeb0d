/** What is imported lazily is not part of what an app loads first. */
const lazy = {
  name: 'lazy',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

/** Minified and gzipped, for browsers: what needs Node's own modules fails. */
function bundle(name, names, limit, without = []) {
  const [, folder, ...rest] = name.split('/');
  const entry = rest.length === 0 ? 'index' : rest.join('/');
  return {
    name: `${name}: ${names}`,
    path: `packages/${folder}/dist/${entry}.js`,
    import: names,
    limit,
    gzip: true,
    ignore: without,
    modifyEsbuildConfig: (config) => ({ ...config, format: 'esm', target: 'es2022', plugins: [lazy] }),
  };
}

const shared = ['@sd/core', '@sd/weights', '@sd/graph'];

export default [
  bundle('@sd/core', '*', '6 kB'),
  bundle('@sd/weights', '*', '7 kB', ['@sd/core']),
  bundle('@sd/graph', '*', '10 kB', ['@sd/core', '@sd/weights']),
  bundle('@sd/adapters', '*', '30 kB', [...shared, '@sd/guidance', '@sd/unet', '@sd/image', '@sd/image-encoder']),
  bundle('@sd/weights/onnx-file', '*', '13 kB', ['@sd/core']),
  bundle('@sd/tokenizer', '*', '16 kB', shared),
  bundle('@sd/text-encoder', '*', '5 kB', shared),
  bundle('@sd/image-encoder', '*', '3 kB', shared),
  bundle('@sd/scheduler', '*', '16 kB', shared),
  bundle('@sd/scheduler', '{ euler }', '3 kB'),
  bundle('@sd/unet', '*', '8 kB', shared),
  bundle('@sd/guidance', '*', '5 kB', ['@sd/core']),
  bundle('@sd/mmdit', '*', '5 kB', shared),
  bundle('@sd/vae', '*', '4 kB', shared),
  bundle('@sd/text-encoder/onnx', '*', '3 kB', shared),
  bundle('@sd/unet/attention', '*', '3 kB', shared),
  bundle('@sd/unet/onnx', '*', '4 kB', shared),
  bundle('@sd/vae/onnx', '*', '4 kB', shared),
  bundle('@sd/source', '*', '6 kB', ['@sd/core']),
  bundle('@sd/image', '*', '12 kB', ['@sd/core']),
  bundle('@sd/backend-web', '*', '5 kB', ['@sd/core']),
  bundle('@sd/pipeline', '{ loadPipeline }', '60 kB'),
  bundle('@sd/react', '{ useDiffusion }', '9 kB', ['react']),
  bundle('@sd/react/element/index', '{ defineSdCanvas }', '10 kB'),
  bundle('@sd/pipeline/worker/client', '{ loadWorkerPipeline }', '7.5 kB'),
];
