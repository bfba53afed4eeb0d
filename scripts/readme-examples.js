// Runs the first ```js block of every package's README, from the root of the repository.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { firstBlock } from './support/markdown.js';
import { packagesIn, root } from './support/packages.js';
import { run } from './support/run.js';

// Under node_modules, imports resolve as in an app, and git and the linters look away.
const folder = path.join(root, 'node_modules/.cache/readme-examples');
await mkdir(folder, { recursive: true });

for (const { folder: home, manifest } of await packagesIn('packages')) {
  const code = firstBlock(await readFile(path.join(home, 'README.md'), 'utf8'), 'js');
  if (code === undefined) throw new Error(`${manifest.name}: its README.md has no \`\`\`js block.`);
  const file = path.join(folder, `${path.basename(home)}.mjs`);
  await writeFile(file, code);
  const start = performance.now();
  await run(process.execPath, [file], { cwd: root });
  console.log(`${manifest.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
await rm(folder, { recursive: true });
