import { throwIfAborted, UnsupportedError } from '@sd/core';
import type { Command } from 'commander';
import type { Context } from '../context.js';
import { type Finding, findings } from './findings.js';

export function addDoctor(program: Command, { stdout, signal }: Context): void {
  program
    .command('doctor')
    .description('Says what is here to draw with: devices, threads, memory, packages, the cache; and what to do.')
    .option('--json', 'Writes JSON.')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const found: Finding[] = [];
      for await (const finding of findings()) {
        throwIfAborted(signal);
        found.push(finding);
        if (json !== true) stdout.write(`${line(finding)}\n`);
      }
      if (json === true) stdout.write(`${JSON.stringify(found)}\n`);
      if (found.some(({ isFine }) => !isFine)) {
        throw new UnsupportedError('Nothing can be drawn here before what is wrong above is put right.');
      }
    });
}

function line({ name, value, advice }: Finding): string {
  return `${name.padEnd(20)}  ${value}${advice === undefined ? '' : `\n${' '.repeat(22)}${advice}`}`;
}
