import { InvalidOptionError } from '../errors.js';
import { type Check, checkFinite, checkFraction, checkOptional, checkText, checkWhole, describe } from './checks.js';
import { nearestName } from './nearest.js';

/** One option: its type and default as documentation writes them, what it does, and the check of a value that is given. */
export interface OptionRow {
  /** `number`, `'images' | 'latents'`. */
  readonly type: string;
  /** The default in words or code; left out where there is none. */
  readonly default?: string;
  /** What other libraries call it; errors and the command line know it by these names too. */
  readonly otherNames?: readonly string[];
  /** A sentence or two, for tables of options. */
  readonly text: string;
  /** Called where the option is given. What depends on other options is checked where they come together. */
  readonly check?: Check;
}

/** A group of options, one row each: the single list of their names, types, defaults and checks. */
export type OptionTable<Options> = { readonly [Name in keyof Required<Options>]: OptionRow };

export interface CheckOptionsSettings {
  /** What the options belong to, for messages about unknown names: `generate()`. */
  readonly of: string;
  /** What stands before each name in messages: `adapters.edges.`. Empty by default. */
  readonly prefix?: string;
}

/**
 * Checks options against their table: an object, of known names, each value by its row's check. An undefined value counts as
 * left out. Throws an InvalidOptionError that names the option.
 */
export function checkOptions(options: unknown, table: Record<string, OptionRow>, settings: CheckOptionsSettings): void {
  const { of, prefix = '' } = settings;
  const names = Object.keys(table).join(', ');
  if (typeof options !== 'object' || options === null) {
    const option = prefix === '' ? 'options' : prefix.slice(0, -1);
    throw new InvalidOptionError(option, `must be an object with ${names}, not ${describe(options)}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const option = `${prefix}${name}`;
    if (!Object.hasOwn(table, name)) {
      const nearest = nearestName(name, Object.keys(table), (known) => table[known].otherNames ?? []);
      const hint = nearest === undefined ? '' : ` Did you mean ${prefix}${nearest}?`;
      throw new InvalidOptionError(option, `is not an option of ${of}.${hint} Its options are ${names}.`);
    }
    table[name].check?.(option, value);
  }
}

/** A row for an option that is a string. */
export const text = { type: 'string', check: checkText } as const;

/** A row for a finite number. */
export const finite = { type: 'number', check: checkFinite } as const;

/** A row for a number from 0 to 1. */
export const fraction = { type: 'number', check: checkFraction } as const;

/** A row for true or false. */
export const flag = {
  type: 'boolean',
  check: (option, value) => checkOptional(option, value, typeof value === 'boolean', 'true or false'),
} as const satisfies Partial<OptionRow>;

/** A row for an AbortSignal. */
export const abortSignal = {
  type: 'AbortSignal',
  check: (option, value) => checkOptional(option, value, value instanceof AbortSignal, 'an AbortSignal'),
} as const satisfies Partial<OptionRow>;

/** A row for a whole number of at least `least`. */
export function whole(least: number): Pick<OptionRow, 'type' | 'check'> {
  return { type: 'number', check: (option, value) => checkWhole(option, value, least) };
}

/** A row for one of a few words. */
export function oneOf(...words: readonly string[]): Pick<OptionRow, 'type' | 'check'> {
  return {
    type: words.map((word) => `'${word}'`).join(' | '),
    check: (option, value) => checkOptional(option, value, words.includes(value as string), words.join(' or ')),
  };
}

/** A row for an object or function that is recognised by a method: `withMethod('plan', 'a scheduler')`. */
export function withMethod(method: string, expected: string): Pick<OptionRow, 'check'> {
  return {
    check: (option, value) =>
      checkOptional(option, value, typeof (value as Record<string, unknown> | null)?.[method] === 'function', expected),
  };
}
