import { InvalidOptionError } from '@sd/core';
import { kebab } from './table-options.js';

/** The message for an option that the API refused, under its name on the command line; undefined for other errors. */
export function optionError(error: unknown): string | undefined {
  if (!(error instanceof InvalidOptionError)) return undefined;
  const { option, message } = error;
  return message.startsWith(`${option}: `) ? `--${kebab(option)}${message.slice(option.length)}` : message;
}
