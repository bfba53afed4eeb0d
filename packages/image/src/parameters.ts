import { barrier, InvalidOptionError } from '@sd/core';

/** The settings that an image was made with, to be written into its file. */
export interface ImageParameters {
  readonly prompt: string;
  readonly negativePrompt?: string;
  /** By A1111's names: `Steps`, `Sampler`, `CFG scale`, `Seed`, `Size`, ... Undefined values are omitted. */
  readonly settings?: Readonly<Record<string, string | number | bigint | boolean | undefined>>;
}

/** Settings read from a file. */
export interface ReadParameters {
  readonly prompt: string;
  /** Empty if there is none. */
  readonly negativePrompt: string;
  /** Verbatim: numbers are not parsed. */
  readonly settings: Readonly<Record<string, string>>;
}

const negativeMark = 'Negative prompt:';
const wholeName = /^[\p{L}\p{N}_][\p{L}\p{N}_ \-/]{1,200}$/u;
/** Characters. */
const longestName = 201;
const minSettings = 3;

/**
 * Writes A1111's `parameters` text: the prompt, a line `Negative prompt: ...`, and a last line of settings, with values
 * in JSON quotes if they would not read back otherwise.
 *
 * The format is ambiguous: a line of the prompt may begin with `Negative prompt:`, and A1111 trims every line. If a prompt
 * would not survive this, `Prompt` and `Negative prompt` are repeated in quotes among the settings, where A1111 prefers
 * them. Only text without any settings cannot be protected: a last line of fewer than three belongs to the prompt.
 *
 * Throws an InvalidOptionError (`settings`) for a name that A1111 could not read: it must be at least two characters, of
 * letters, digits, `_`, `-`, `/` and spaces.
 * Follows A1111's modules/processing.py (`create_infotext`) and modules/infotext_utils.py.
 */
export function formatParameters({ prompt, negativePrompt = '', settings = {} }: ImageParameters): string {
  const entries = Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    checkName(name);
    return value === undefined ? [] : [[name, toText(value)]];
  });
  const write = (last: readonly string[]) => {
    const negative = negativePrompt === '' ? '' : `\n${negativeMark} ${negativePrompt}`;
    return `${prompt}${negative}\n${last.join(', ')}`.trim();
  };

  const last = entries.map(([name, value]) => `${name}: ${quote(value)}`);
  const text = write(last);
  const read = parseParameters(text);
  const readsBack =
    read.prompt === prompt &&
    read.negativePrompt === negativePrompt &&
    Object.keys(read.settings).length === entries.length;
  if (readsBack || entries.length === 0) return text;
  return write([...last, `Prompt: ${JSON.stringify(prompt)}`, `Negative prompt: ${JSON.stringify(negativePrompt)}`]);
}

/** Reads A1111's `parameters` text as A1111 does. Never fails: text without settings is a prompt. */
export function parseParameters(text: string): ReadParameters {
  return barrier('parseParameters()', () => parse(text));
}

function parse(text: string): ReadParameters {
  const lines = text.trim().split('\n');
  const found = settingsIn(lines.at(-1)!);
  if (found.length >= minSettings) lines.pop();
  const settings = new Map(
    found.length < minSettings ? [] : found.map(([name, value]): [string, string] => [name, unquote(value)]),
  );

  const prompt: string[] = [];
  const negative: string[] = [];
  let target = prompt;
  for (const line of lines.map((line) => line.trim())) {
    if (line.startsWith(negativeMark)) {
      target = negative;
      target.push(line.slice(negativeMark.length).trim());
    } else target.push(line);
  }
  const exact = { prompt: settings.get('Prompt'), negative: settings.get('Negative prompt') };
  settings.delete('Prompt');
  settings.delete('Negative prompt');
  return {
    prompt: exact.prompt ?? joinLines(prompt),
    negativePrompt: exact.negative ?? joinLines(negative),
    settings: Object.fromEntries(settings),
  };
}

/**
 * The settings in a line, verbatim: what A1111's regular expression
 * `([A-Za-z][A-Za-z0-9_ /-]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)` finds, for letters of all scripts, in time linear in the
 * line's length.
 */
function settingsIn(line: string): [name: string, value: string][] {
  const found: [string, string][] = [];
  let start = 0;
  for (let colon = line.indexOf(':'); colon >= 0; colon = line.indexOf(':', start)) {
    const name = nameBefore(line.slice(Math.max(start, colon - 2 * longestName), colon));
    start = colon + 1;
    if (name === undefined) continue;
    while (/\s/.test(line.charAt(start))) start++;
    const end = endOfValue(line, start);
    found.push([name, line.slice(start, end)]);
    start = end + 1;
  }
  return found;
}

/** The longest name that ends where the text ends. */
function nameBefore(text: string): string | undefined {
  const characters = [...text].slice(-longestName);
  let first = characters.length;
  for (let i = characters.length - 1; i >= 0 && /[\p{L}\p{N}_ \-/]/u.test(characters[i]); i--) {
    if (/[\p{L}\p{N}_]/u.test(characters[i])) first = i;
  }
  return characters.length - first < 2 ? undefined : characters.slice(first).join('');
}

/** A value ends at a comma or with the line. Commas in quotes do not count if one, or the line's end, follows the quotes. */
function endOfValue(line: string, start: number): number {
  const quotesEnd = line.charAt(start) === '"' ? endOfQuotes(line, start) : -1;
  if (quotesEnd > start + 2 && /^,?$/.test(line.charAt(quotesEnd))) return quotesEnd;
  const comma = line.indexOf(',', start);
  return comma < 0 ? line.length : comma;
}

/** The end of a quoted text, in which a backslash escapes a character; -1 if it has none. */
function endOfQuotes(line: string, start: number): number {
  for (let i = start + 1; i < line.length; i++) {
    if (line.charAt(i) === '"') return i + 1;
    if (line.charAt(i) === '\\' && /[\r\u2028\u2029]/.test(line.charAt(++i))) return -1;
  }
  return -1;
}

/** Joins lines like A1111, which drops empty ones at the beginning. */
function joinLines(lines: readonly string[]): string {
  const first = lines.findIndex((line) => line !== '');
  return first < 0 ? '' : lines.slice(first).join('\n');
}

function checkName(name: string): void {
  if (wholeName.test(name) && name.trim() === name && name !== 'Prompt' && name !== 'Negative prompt') return;
  throw new InvalidOptionError(
    'settings',
    `cannot have the name ${JSON.stringify(name)}. Names are two or more letters, digits, "_", "-", "/" or spaces, other than Prompt and Negative prompt.`,
  );
}

function toText(value: string | number | bigint | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

function quote(value: string): string {
  const needsQuotes = value === '' || /[,:\n\r]|^"/.test(value) || value.trim() !== value;
  return needsQuotes ? JSON.stringify(value) : value;
}

/** Tested first, since a million errors of JSON.parse would take a minute. */
const jsonText = /^"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/u;

function unquote(value: string): string {
  return jsonText.test(value) ? (JSON.parse(value) as string) : value;
}
