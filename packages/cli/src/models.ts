import { cachedModels, hubSettings, removeCachedModel } from '@sd/source/hub';
import type { Command } from 'commander';
import { formatBytes } from './bytes.js';
import type { Context } from './context.js';

export function addModels(program: Command, { stdout }: Context): void {
  const models = program.command('models').description('Lists the models in the cache of the hub, and removes some.');
  models
    .command('list', { isDefault: true })
    .description('Lists the models in the cache, the largest first.')
    .option('--json', 'Writes JSON.')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const found = await cachedModels();
      stdout.write(json === true ? `${JSON.stringify(found)}\n` : await table(found));
    });
  models
    .command('remove')
    .description('Removes models from the cache, with all their revisions.')
    .argument('<names...>', 'owner/name')
    .action(async (names: string[]) => {
      for (const name of names) {
        const freed = await removeCachedModel(name);
        stdout.write(`${name} is removed: ${formatBytes(freed)} are free.\n`);
      }
    });
}

async function table(models: Awaited<ReturnType<typeof cachedModels>>): Promise<string> {
  const { cacheFolder } = await hubSettings();
  if (models.length === 0) return `There are no models in ${cacheFolder}.\n`;
  const rows = models.map(({ repo, size, revisions, lastUsed }) => [
    repo,
    formatBytes(size),
    revisions.map(({ commit, names }) => (names.length > 0 ? names.join(', ') : commit.slice(0, 8))).join('; '),
    lastUsed.toISOString().slice(0, 10),
  ]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  const total = formatBytes(models.reduce((sum, { size }) => sum + size, 0));
  return `${lines.join('\n')}\n\n${total} in ${cacheFolder}; \`sd models remove NAME\` frees what a model takes.\n`;
}
