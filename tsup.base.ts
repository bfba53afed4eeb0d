import { copyFile } from 'node:fs/promises';
import { defineConfig, type Options } from 'tsup';

/** How every package is built: ES modules and their types, one file an entry; and the licence beside them, for npm. */
export function library(
  entry: string[] | Record<string, string>,
  options: Pick<Options, 'platform' | 'esbuildPlugins' | 'sourcemap' | 'external'> = {},
): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    dts: true,
    clean: true,
    splitting: true,
    sourcemap: true,
    onSuccess: () => copyFile('../../LICENSE', 'LICENSE'),
    ...options,
  });
}
