import tab from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import type { Context } from './context.js';
import { addDoctor } from './doctor/command.js';
import { addDownload } from './download.js';
import { addDraw } from './draw/command.js';
import { addInspect } from './inspect.js';
import { addModels } from './models.js';
import { addServe } from './serve/command.js';
import { addWorker } from './worker.js';

const commands = [addDraw, addInspect, addDownload, addModels, addDoctor, addServe, addWorker];

/** The program `sd`: a command line without a command's name is that of `draw`. */
export function createProgram(context: Context): Command {
  const program = new Command('sd')
    .description('Stable Diffusion: draws images from text, and says what model files are.')
    .version(manifest.version)
    .addHelpText('after', '\nsd "a blue car on a road" draws; sd draw --help lists the options.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  for (const add of commands) add(program, context);
  // `sd completion zsh` prints the shell's script, which asks for suggestions.
  tab(program, { completionCommandName: 'completion' });
  return program;
}
