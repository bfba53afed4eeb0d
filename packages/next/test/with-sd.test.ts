import { existsSync } from 'node:fs';
import path from 'node:path';
import type { NextConfig } from 'next';
import { describe, expect, it } from 'vitest';
import { withSd } from '../src/index.js';

const project = path.join(import.meta.dirname, '..');
const read = (config: Parameters<typeof withSd>[0], options = {}) =>
  withSd(config, { project, ...options })('phase-production-build', { defaultConfig: {} });

describe('withSd', () => {
  it('lists the packages that Next must not bundle, once each', async () => {
    const { serverExternalPackages } = await read({ serverExternalPackages: ['sharp', '@sd/pipeline'] });
    expect(serverExternalPackages).toEqual(expect.arrayContaining(['sharp', '@sd/pipeline', 'onnxruntime-node']));
    expect(new Set(serverExternalPackages).size).toBe(serverExternalPackages?.length);
  });

  it('lists the model and the libraries of this system, by globs that start at the project', async () => {
    const { outputFileTracingIncludes } = await read({});
    const globs = outputFileTracingIncludes!['/**'];
    const folders = globs.map((glob) => path.join(project, glob.split('/*')[0]));
    for (const folder of folders) expect(existsSync(folder), folder).toBe(true);
    expect(globs.filter((glob) => /model-tiny\/(model|preview)\//.test(glob))).toHaveLength(2);
    expect(globs.at(-1)).toMatch(new RegExp(`onnxruntime-node/bin/[*]/${process.platform}/${process.arch}/[*]$`));
    expect(globs.filter((glob) => path.isAbsolute(glob) || glob.includes('\\'))).toEqual([]);
  });

  it('leaves out what is not installed', async () => {
    const { outputFileTracingIncludes } = await read({}, { project: path.parse(project).root });
    expect(outputFileTracingIncludes).toEqual({ '/**': [] });
  });

  it('keeps the rest of the configuration, from an object or a function', async () => {
    const own: NextConfig = { output: 'standalone', outputFileTracingIncludes: { '/draw': ['notes.txt'] } };
    const config = await read(async () => own, { routes: '/draw' });
    expect(config.output).toBe('standalone');
    expect(config.outputFileTracingIncludes!['/draw'][0]).toBe('notes.txt');
    expect(config.outputFileTracingIncludes!['/draw'].length).toBeGreaterThan(1);
    expect(own.serverExternalPackages).toBeUndefined();
  });
});
