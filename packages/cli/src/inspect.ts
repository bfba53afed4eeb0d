import { type Inspection, inspect } from '@sd/pipeline';
import type { Command } from 'commander';
import type { Context } from './context.js';

export function addInspect(program: Command, { stdout }: Context): void {
  program
    .command('inspect')
    .description('Says what a model or adapter is, from its names, shapes and configs; no weights are read.')
    .argument('<path>', 'A file, a folder or a URL.')
    .option('--json', 'Writes JSON.')
    .action(async (path: string, { json }: { readonly json?: boolean }) => {
      const found = await inspect(path);
      stdout.write(`${json === true ? JSON.stringify(found) : describe(found)}\n`);
    });
}

function describe({ kind, family, layout, dtypes, details, canDo }: Inspection): string {
  const rows = Object.entries({ kind, family, layout, dtypes: dtypes.join(', '), ...details }).flatMap(
    ([name, value]) => (value === undefined || value === '' ? [] : [[name, plain(value)] as const]),
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), '', canDo].join('\n');
}

const plain = (value: unknown) =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);
