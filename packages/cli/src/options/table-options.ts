import type { OptionRow } from '@sd/core/options';
import { InvalidArgumentError, Option } from 'commander';

type Table = Readonly<Record<string, OptionRow>>;

/** A further spelling of an option: a letter, or another program's name for it. */
export interface Spelling {
  readonly short?: string;
  /** Accepted, but not listed in the help. */
  readonly aliases?: readonly string[];
  /** A description in place of the table's, where that is about code. */
  readonly text?: string;
}

interface Reader {
  readonly placeholder: string;
  read(text: string): unknown;
}

const text: Reader = { placeholder: 'text', read: (value) => value };
const number: Reader = { placeholder: 'number', read: readNumber };
const seed: Reader = { placeholder: 'number', read: readSeed };
const file: Reader = { placeholder: 'file', read: (value) => value };

/** Parsers for the types of the tables; options of other types cannot be given on a command line. */
const readers: Readonly<Record<string, Reader>> = {
  string: text,
  number,
  'number | bigint': seed,
  'string | string[] | { text, weight }[]': text,
  'Scheduler | string': { ...text, placeholder: 'name' },
  'bytes | RGBA | Tensor': file,
  'bytes | RGBA': file,
  'string | URL | Source': { ...text, placeholder: 'folder' },
};

/** The options of a table that a command line can give: `guidanceScale` as `--guidance-scale <number>`. */
export function tableOptions(table: Table, spellings: Readonly<Record<string, Spelling>>): Option[] {
  return Object.entries(table).flatMap(([name, row]) => {
    const option = tableOption(name, row, spellings[name]);
    return option === undefined ? [] : [option];
  });
}

function tableOption(name: string, row: OptionRow, { short, text: description }: Spelling = {}) {
  const { type, default: fallback } = row;
  const flags = [short, `--${kebab(name)}`].filter((flag) => flag !== undefined).join(', ');
  const help = `${description ?? plain(row.text)}${fallback === undefined ? '' : ` (default: ${plain(fallback)})`}`;
  if (type === 'boolean') return new Option(flags, help);
  const choices = choicesOf(type);
  if (choices !== undefined) return new Option(`${flags} <name>`, help).choices(choices);
  if (!Object.hasOwn(readers, type)) return undefined;
  const { placeholder, read } = readers[type];
  return new Option(`${flags} <${placeholder}>`, help).argParser(read);
}

/** The words of `'a' | 'b' | Type`; undefined for any other type. */
function choicesOf(type: string): string[] | undefined {
  const words = [...type.matchAll(/'([^']+)'/g)].map(([, word]) => word);
  return words.length === 0 ? undefined : words;
}

/** The values that belong to a table, by the names of its options. */
export function valuesOf(values: object, table: Table): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => Object.hasOwn(table, name)));
}

/**
 * Replaces aliases in a command line, and other libraries' names of the options of tables, by the names that they stand for:
 * `--cfg-scale 7` by `--guidance-scale 7`.
 */
export function withoutAliases(
  args: readonly string[],
  spellings: Readonly<Record<string, Spelling>>,
  tables: readonly Table[] = [],
): string[] {
  const names = new Map<string, string>();
  const add = (name: string, aliases: readonly string[] = []) => {
    for (const alias of aliases) names.set(alias, `--${kebab(name)}`);
  };
  for (const [name, { otherNames = [] }] of tables.flatMap((table) => Object.entries(table))) {
    add(
      name,
      otherNames.filter((other) => other.length > 1).map((other) => `--${kebab(other).replaceAll('_', '-')}`),
    );
  }
  for (const [name, { aliases }] of Object.entries(spellings)) add(name, aliases);
  const end = args.indexOf('--');
  return args.map((arg, i) => {
    if (end !== -1 && i > end) return arg;
    const [, flag, value] = /^([^=]+)(=.*)?$/s.exec(arg) ?? [];
    const name = names.get(flag?.replaceAll('_', '-'));
    return name === undefined ? arg : `${name}${value ?? ''}`;
  });
}

export const kebab = (name: string): string => name.replace(/[A-Z]|\d+$/g, (part) => `-${part.toLowerCase()}`);

/** A table's text without backticks, and with the command line's names of options. */
function plain(markdown: string): string {
  return markdown.replace(/`(.*?)`/g, (_, code: string) =>
    /^[a-z]+([A-Z]\w*|\d)$/.test(code) ? `--${kebab(code)}` : code,
  );
}

export function readNumber(value: string): number {
  const read = Number(value);
  if (value.trim() === '' || !Number.isFinite(read)) throw new InvalidArgumentError('It must be a number.');
  return read;
}

function readSeed(value: string): number | bigint {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  const read = Number(value);
  return Number.isSafeInteger(read) ? read : BigInt(value);
}
