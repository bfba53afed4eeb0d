// node scripts/check-packages.js [FOLDER OF TARBALLS]: checks every package as it would be published.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { manifestProblems } from './support/manifest-rules.js';
import { packAll } from './support/pack.js';
import { packagesIn, readManifest, root } from './support/packages.js';
import { run } from './support/run.js';

const { engines } = await readManifest(root);
const packages = await packagesIn('packages');
const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]));
/** @type {string[]} */
const problems = [];
for (const pkg of packages) {
  const found = await manifestProblems(pkg, { engines, versions });
  problems.push(...found.map((problem) => `${pkg.manifest.name}: ${problem}`));
}

const attw = path.join(root, 'node_modules/.bin/attw');
for (const { manifest, tarball } of await packAll(process.argv[2])) {
  const bytes = await readFile(tarball);
  const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
  problems.push(
    ...messages.map((message) => `${manifest.name}: ${formatMessage(message, manifest, { color: false })}`),
  );
  await run(attw, [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji']).catch((error) =>
    problems.push(`${manifest.name}: ${error.message}`),
  );
}

for (const problem of problems) console.error(problem);
console.log(`${packages.length} packages checked, ${problems.length} problems.`);
process.exitCode = problems.length > 0 ? 1 : 0;
