// Runs the first ```js block of every package's README, of every docs page that has one, and in guides the one after
// <!-- ci: run -->, where there is one; all from the root of the repository.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import makeFixtures from '../fixtures/make.js';
import { redisBinary, startRedis } from '../fixtures/redis-server.js';
import { firstBlock } from './support/markdown.js';
import { packagesIn, root } from './support/packages.js';
import { run } from './support/run.js';

// The tests' models, which some examples use.
makeFixtures();

// Under node_modules, imports resolve as in an app, and git and the linters ignore it.
const folder = path.join(root, 'node_modules/.cache/readme-examples');
await mkdir(folder, { recursive: true });

const readmes = (await packagesIn('packages')).map(({ folder: home, manifest }) => ({
  name: manifest.name,
  page: path.join(home, 'README.md'),
}));
const pagesIn = async (home) =>
  (await readdir(path.join(root, home)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => ({ name: `${home}/${name}`, page: path.join(root, home, name) }));
const docs = await pagesIn('docs');
const guides = await pagesIn('docs/guides');

for (const [i, { name, page }] of [...readmes, ...docs, ...guides].entries()) {
  const [whole, marked] = (await readFile(page, 'utf8')).split('<!-- ci: run -->');
  if (marked === undefined && name.startsWith('docs/guides/')) continue;
  const code = firstBlock(marked ?? whole, 'js');
  if (code === undefined && name.startsWith('docs/')) continue;
  if (code === undefined) throw new Error(`${name} has no \`\`\`js block.`);
  const file = path.join(folder, `${i}.mjs`);
  await writeFile(file, code);
  const start = performance.now();
  const needsRedis = code.includes('redis://localhost:6379');
  if (needsRedis && redisBinary === undefined) {
    console.log(`${name}: skipped, for want of redis-server or valkey-server`);
    continue;
  }
  const redis = needsRedis ? await startRedis({ port: 6379 }) : undefined;
  await run(process.execPath, [file], { cwd: root });
  await redis?.stop();
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
await rm(folder, { recursive: true });
