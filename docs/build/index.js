// node docs/build/index.js [--check]: the figures and tables of the docs, from the built packages and from what the tests
// recorded (run `npm test` first). With --check, writes nothing, and fails where what is committed is not what the code makes.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { importFigures } from './architecture.js';
import { compatibilityTables } from './compatibility.js';
import { errorMessages } from './error-messages.js';
import { checkNames } from './names.js';
import { fillOptions } from './option-tables.js';
import { fill } from './places.js';
import { scheduleFigures } from './schedules.js';
import { spacingFigures } from './spacings.js';
import { tables } from './tables.js';

const root = path.resolve(import.meta.dirname, '../..');
const check = process.argv.includes('--check');

/** @param {string} file */
const read = (file) => readFile(path.join(root, file), 'utf8').catch(() => undefined);

/** @type {[file: string, text: string][]} */
const made = Object.entries({ ...scheduleFigures, ...spacingFigures }).map(([name, svg]) => [
  `docs/schedulers/${name}`,
  svg,
]);
made.push(['docs/architecture.md', fill((await read('docs/architecture.md')) ?? '', importFigures())]);
made.push(['docs/schedulers.md', fill((await read('docs/schedulers.md')) ?? '', await tables())]);
const compatibility = (await read('docs/compatibility.md')) ?? '';
made.push(['docs/compatibility.md', fill(compatibility, await compatibilityTables(check ? compatibility : undefined))]);
await checkNames((await read('docs/coming-from.md')) ?? '');
const errors = (await read('packages/core/errors.md')) ?? '';
made.push(['packages/core/errors.md', fill(errors, await errorMessages(errors))]);
const guides = (await readdir(path.join(root, 'docs/guides'))).map((name) => `docs/guides/${name}`);
for (const file of [...guides, 'packages/pipeline/README.md']) {
  made.push([file, fillOptions((await read(file)) ?? '')]);
}

const stale = [];
for (const [file, text] of made) {
  if ((await read(file)) === text) continue;
  stale.push(file);
  if (check) continue;
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
}

const list = stale.join(', ');
if (stale.length === 0) console.log(`${made.length} files of the docs are what the code makes.`);
else if (!check) console.log(`written: ${list}`);
else throw new Error(`Not what the code makes: ${list}. Run \`npm run docs\`, and commit the result.`);
