import { InvalidOptionError } from '@sd/core';
import { kebab } from './table-options.js';

/** The message for an option that the API refused, under the name that the command line has for it; else undefined. */
export function optionError(error: unknown): string | undefined {
  if (!(error instanceof InvalidOptionError)) return undefined;
  const { option, message } = error;
  return message.startsWith(`${option}: `) ? `--${kebab(option)}${message.slice(option.length)}` : message;
}
