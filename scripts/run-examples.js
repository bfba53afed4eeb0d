// Runs every example: its "check" script, or "start" where that ends by itself.
import { packagesIn } from './support/packages.js';
import { run } from './support/run.js';

for (const { folder, manifest } of await packagesIn('examples')) {
  const { check, start: main } = manifest.scripts ?? {};
  if (check === undefined && main === undefined) throw new Error(`${manifest.name} has no "check" or "start" script.`);
  const start = performance.now();
  await run('npm', ['run', check === undefined ? 'start' : 'check'], { cwd: folder });
  console.log(`${manifest.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
