import type { NextConfig } from 'next';
import { tracedFiles } from './traced-files.js';

type NextConfigFunction = (phase: string, context: { defaultConfig: NextConfig }) => NextConfig | Promise<NextConfig>;

export interface WithSdOptions {
  /** The routes that draw, as a glob; only they carry the model and ONNX Runtime. Default: all routes, `/**`. */
  readonly routes?: string;
  /** The app's folder. Default: the current directory. */
  readonly project?: string;
}

/** Packages that Node imports as they are: they read files next to themselves, start threads, or import such packages. */
const external = [
  '@sd/ai-sdk',
  '@sd/backend-node',
  '@sd/clip-vocabulary',
  '@sd/model-tiny',
  '@sd/model-tiny-controlnet',
  '@sd/model-tiny-inpaint',
  '@sd/pipeline',
  '@sd/server',
  'onnxruntime-node',
];

/**
 * Adds to a Next.js configuration what a server needs to draw: the packages that Next must not bundle
 * (`serverExternalPackages`), and the files that it must copy next to the code in `output: 'standalone'` and in
 * serverless functions (`outputFileTracingIncludes`). ONNX Runtime's libraries are those for the system that builds.
 *
 * Takes the configuration as an object or a function, and keeps everything in it.
 */
export function withSd(config: NextConfig | NextConfigFunction = {}, options: WithSdOptions = {}): NextConfigFunction {
  return async (phase, context) => {
    const own = typeof config === 'function' ? await config(phase, context) : config;
    const { routes = '/**', project = process.cwd() } = options;
    return {
      ...own,
      serverExternalPackages: [...new Set([...(own.serverExternalPackages ?? []), ...external])],
      outputFileTracingIncludes: {
        ...own.outputFileTracingIncludes,
        [routes]: [...(own.outputFileTracingIncludes?.[routes] ?? []), ...(await tracedFiles(project))],
      },
    };
  };
}
