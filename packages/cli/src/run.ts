import { AbortError, SdError } from '@sd/core';
import { generateTables, loadTable } from '@sd/pipeline';
import { CommanderError } from 'commander';
import type { Streams } from './context.js';
import { spellings } from './draw/spellings.js';
import { exitCodes } from './exit-codes.js';
import { optionError } from './options/errors.js';
import { withoutAliases } from './options/table-options.js';
import { createProgram } from './program.js';

/**
 * Runs a command line, without the program's name: `run(['draw', 'a cat'], process)`. Resolves to the exit code; problems
 * are written to `stderr`, and never thrown. Ctrl-C ends the run between two steps; a second one ends the process.
 */
export async function run(args: readonly string[], streams: Streams): Promise<number> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const plainArgs = withoutAliases(args, spellings, [...Object.values(generateTables), loadTable]);
    await createProgram({ ...streams, signal: interrupt.signal }).parseAsync(plainArgs, { from: 'user' });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    if (interrupt.signal.aborted && error instanceof AbortError) return exitCodes.interrupted;
    return report(error, streams);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function report(error: unknown, { stderr }: Streams): number {
  const usage = optionError(error);
  if (usage !== undefined) {
    stderr.write(`${usage}\n`);
    return exitCodes.usage;
  }
  // Anything but a typed error is a bug, and needs its stack trace.
  const isExpected = SdError.isInstance(error) || (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
  const text = isExpected ? (error as Error).message : String((error as Error | null)?.stack ?? error);
  stderr.write(`${text}\n`);
  if (SdError.isInstance(error)) stderr.write(`See ${error.help}\n`);
  return exitCodes.failure;
}
