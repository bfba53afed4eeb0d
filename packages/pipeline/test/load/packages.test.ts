import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const pipeline = fileURLToPath(new URL('../..', import.meta.url));
const modules = path.join(pipeline, '../../node_modules');
let root: string;
let installed: string;

/** The built package as in an app that installed nothing else. */
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'pipeline-'));
  installed = path.join(root, 'node_modules/@sd/pipeline');
  await mkdir(installed, { recursive: true });
  const manifest = path.join(pipeline, 'package.json');
  await cp(manifest, path.join(installed, 'package.json'));
  await cp(path.join(pipeline, 'dist'), path.join(installed, 'dist'), { recursive: true });
  const { dependencies } = JSON.parse(await readFile(manifest, 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = path.join(root, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(modules, name), link, 'junction');
  }
});
afterAll(() => rm(root, { recursive: true }));

test.each([
  ['await loadPipeline()', '@sd/model-tiny', 'The embedded model'],
  ['await loadPipeline("a folder")', '@sd/backend-node', 'Running models in Node'],
])('%s says which package to install', async (call, name, purpose) => {
  const script = `
    import { loadPipeline } from '@sd/pipeline';
    try { ${call} } catch (error) { console.log(JSON.stringify({ ...error, message: error.message })) }
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
  });
  expect(JSON.parse(stdout)).toMatchObject({
    code: 'missing-package',
    package: name,
    message: `${purpose} needs the package ${name}: npm install ${name}`,
  });
});

test('an app without the optional packages can be bundled', async () => {
  const require = createRequire(import.meta.url);
  const { build } = createRequire(require.resolve('tsup'))('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: "export { loadPipeline } from '@sd/pipeline'", resolveDir: root },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    outdir: path.join(root, 'out'),
    write: false,
    logLevel: 'silent',
  });
  const code = outputFiles.map(({ text }: { readonly text: string }) => text).join('');
  const left = code.match(/(?<=import\(")@sd\/[\w-]+/g);
  expect(left.sort()).toEqual(['@sd/backend-web', '@sd/clip-vocabulary', '@sd/model-tiny']);
});
