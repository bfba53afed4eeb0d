// Runs `npm start` of every example.
import { packagesIn } from './support/packages.js';
import { run } from './support/run.js';

for (const { folder, manifest } of await packagesIn('examples')) {
  if (manifest.scripts?.start === undefined) throw new Error(`${manifest.name} has no "start" script.`);
  const start = performance.now();
  await run('npm', ['start'], { cwd: folder });
  console.log(`${manifest.name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
