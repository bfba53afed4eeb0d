// node scripts/install-as-user.js [FOLDER OF TARBALLS]: installs the packed packages into an empty folder and draws there.
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packAll } from './support/pack.js';
import { readManifest } from './support/packages.js';
import { checkPicture } from './support/picture.js';
import { run } from './support/run.js';

const prompt = 'a red apple on a table';
const script = `import { writeFile } from 'node:fs/promises';
import { loadPipeline } from '@sd/pipeline';

const sd = await loadPipeline();
const { images, seeds } = await sd.generate({ prompt: '${prompt}', steps: 4, seed: 1 });
await writeFile('picture.png', await images[0].toPng());
await sd.dispose();
console.log('seed', seeds[0]);
`;

const packages = await packAll(process.argv[2]);
const app = await mkdtemp(path.join(tmpdir(), 'sd-app-'));
const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' };
const tarballs = packages.map(({ tarball }) => tarball);
await run('npm', ['install', '--no-audit', '--no-fund', ...tarballs], { cwd: app, env });

const installed = path.join(app, 'node_modules/@sd');
for (const name of await readdir(installed)) {
  if ((await lstat(path.join(installed, name))).isSymbolicLink())
    throw new Error(`@sd/${name} is a symbolic link, not a copy.`);
}
for (const { manifest } of packages) {
  const { version } = await readManifest(path.join(app, 'node_modules', manifest.name));
  if (version !== manifest.version)
    throw new Error(`${manifest.name}: version ${version} was installed, not ${manifest.version}.`);
}

await writeFile(path.join(app, 'draw.mjs'), script);
await run(process.execPath, ['draw.mjs'], { cwd: app });
await checkPicture(path.join(app, 'picture.png'), { prompt });
await rm(app, { recursive: true });
console.log(`${packages.length} packages installed as a user would: the image is drawn.`);
