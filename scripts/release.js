// npm run release [-- --dry]: publishes every package with its changes since the last release, and tags the commit.
// With --dry everything is done in a copy: versions, change logs, lock file, tarballs and tags; nothing is uploaded.
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packagesIn, root } from './support/packages.js';
import { run } from './support/run.js';

const { values } = parseArgs({ options: { dry: { type: 'boolean', default: false } } });

/**
 * What must hold before a release; each is a sentence for whoever starts one.
 * @returns {Promise<string[]>}
 */
async function obstacles() {
  const found = [];
  const git = async (/** @type {string[]} */ ...args) => (await run('git', args, { cwd: root })).trim();
  if ((await git('status', '--porcelain')) !== '') found.push('There are changes that are not committed.');
  if ((await git('rev-parse', '--abbrev-ref', 'HEAD')) !== 'main') found.push('The branch is not main.');
  if (process.env.NODE_AUTH_TOKEN === undefined && process.env.ACTIONS_ID_TOKEN_REQUEST_URL === undefined) {
    found.push('There is neither a token (NODE_AUTH_TOKEN) nor a trusted publisher (ACTIONS_ID_TOKEN_REQUEST_URL).');
  }
  const unnamed = (await packagesIn('packages')).filter(({ manifest }) => manifest.repository === undefined);
  if (unnamed.length > 0) {
    found.push(`${unnamed.length} packages have no "repository", which npm compares with where provenance comes from.`);
  }
  return found;
}

/** A clone of the commit with this tree's build and dependencies. */
async function copyOfCommit() {
  const folder = await mkdtemp(path.join(tmpdir(), 'sd-release-'));
  await run('git', ['clone', '--quiet', root, folder]);
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const { folder: from, manifest } of await packagesIn('packages')) {
    if (!manifest.private) {
      await cp(path.join(from, 'dist'), path.join(folder, path.relative(root, from), 'dist'), { recursive: true });
    }
  }
  return folder;
}

/** Who commits and tags in the copy, where git may not know anyone. */
const anyone = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((role) => [
    [`GIT_${role}_NAME`, 'release'],
    [`GIT_${role}_EMAIL`, 'release@localhost'],
  ]),
);

/** @param {string} folder */
async function release(folder) {
  const changeset = path.join(root, 'node_modules/.bin/changeset');
  const options = { cwd: folder, env: values.dry ? anyone : {} };
  const pending = (await readdir(path.join(folder, '.changeset'))).filter((file) => file.endsWith('.md')).length;
  if (pending > 0) {
    await run(changeset, ['version'], options);
    await run('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], options);
    await run('git', ['add', '--all', '.'], options);
    await run('git', ['commit', '--quiet', '--message', 'Release'], options);
  }
  console.log(`${pending} changesets became versions and change logs.`);
  if (values.dry) await publishDry(folder);
  else console.log(await run(changeset, ['publish'], options));
  await run(changeset, ['tag'], options);
  const tags = (await run('git', ['tag', '--points-at', 'HEAD'], options)).trim().split('\n');
  console.log(`Tags: ${tags.join(' ')}`);
  if (!values.dry) await run('git', ['push', '--follow-tags', 'origin', 'HEAD:main'], options);
}

/** @param {string} folder */
async function publishDry(folder) {
  for (const { manifest, folder: from } of await packagesIn('packages')) {
    if (manifest.private) continue;
    const packed = path.join(folder, path.relative(root, from));
    // Provenance is signed by the continuous integration, from where `changeset publish` runs.
    const out = await run('npm', ['publish', '--dry-run', '--json', '--provenance=false'], { cwd: packed });
    const {
      [manifest.name]: { id, size, entryCount },
    } = JSON.parse(out);
    console.log(`${id}: ${entryCount} files, ${(size / 1e3).toFixed(1)} kB`);
  }
}

const found = await obstacles();
if (found.length > 0) console.log(['Before a release:', ...found].join('\n- '));
if (values.dry) {
  const folder = await copyOfCommit();
  await release(folder).finally(() => rm(folder, { recursive: true }));
} else if (found.length > 0) {
  process.exitCode = 1;
} else {
  await release(root);
}
