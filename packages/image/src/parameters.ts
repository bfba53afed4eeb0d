import { InvalidOptionError } from '@sd/core';

/** What a picture was made with, as it is written into its file. */
export interface ImageParameters {
  readonly prompt: string;
  readonly negativePrompt?: string;
  /** Under A1111's names: `Steps`, `Sampler`, `CFG scale`, `Seed`, `Size`, ... Undefined ones are left out. */
  readonly settings?: Readonly<Record<string, string | number | bigint | boolean | undefined>>;
}

/** What was read back from a file. */
export interface ReadParameters {
  readonly prompt: string;
  /** Empty where there is none. */
  readonly negativePrompt: string;
  /** As they stand in the text: numbers are not parsed. */
  readonly settings: Readonly<Record<string, string>>;
}

const negativeMark = 'Negative prompt:';
const setting = /([\p{L}\p{N}_][\p{L}\p{N}_ \-/]{1,200}):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/gu;
const wholeName = /^[\p{L}\p{N}_][\p{L}\p{N}_ \-/]{1,200}$/u;
const fewestSettings = 3;

/**
 * A1111's `parameters` text: the prompt, a line `Negative prompt: ...`, and a last line of settings, whose values are in
 * JSON's quotes where they would not read back without.
 *
 * That text is ambiguous: a line of the prompt may begin with `Negative prompt:`, and A1111 trims every line. Where it
 * would not read back as it was, `Prompt` and `Negative prompt` follow in quotes among the settings, and A1111 takes
 * them from there. This fails only without any setting: with fewer than three, a last line is part of the prompt.
 *
 * Throws an InvalidOptionError (`settings`) for a name that A1111 could not read: it must be letters, digits, `_`, `-`,
 * `/` and spaces, two at least.
 * Follows A1111's modules/processing.py (`create_infotext`) and modules/infotext_utils.py.
 */
export function formatParameters({ prompt, negativePrompt = '', settings = {} }: ImageParameters): string {
  const entries = Object.entries(settings).flatMap(([name, value]): [string, string][] => {
    checkName(name);
    return value === undefined ? [] : [[name, plain(value)]];
  });
  const write = (last: readonly string[]) => {
    const negative = negativePrompt === '' ? '' : `\n${negativeMark} ${negativePrompt}`;
    return `${prompt}${negative}\n${last.join(', ')}`.trim();
  };

  const last = entries.map(([name, value]) => `${name}: ${quote(value)}`);
  const text = write(last);
  const read = parseParameters(text);
  const same =
    read.prompt === prompt &&
    read.negativePrompt === negativePrompt &&
    Object.keys(read.settings).length === entries.length;
  if (same || entries.length === 0) return text;
  return write([...last, `Prompt: ${JSON.stringify(prompt)}`, `Negative prompt: ${JSON.stringify(negativePrompt)}`]);
}

/** Reads A1111's `parameters` text, as A1111 does. Any text is read: one without settings is a prompt. */
export function parseParameters(text: string): ReadParameters {
  const lines = text.trim().split('\n');
  const found = [...lines.at(-1)!.matchAll(setting)];
  if (found.length >= fewestSettings) lines.pop();
  const settings = new Map(
    found.length < fewestSettings ? [] : found.map(([, name, value]): [string, string] => [name!, unquote(value!)]),
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
    prompt: exact.prompt ?? joined(prompt),
    negativePrompt: exact.negative ?? joined(negative),
    settings: Object.fromEntries(settings),
  };
}

/** A1111 joins lines so: empty ones at the beginning are lost. */
function joined(lines: readonly string[]): string {
  const first = lines.findIndex((line) => line !== '');
  return first < 0 ? '' : lines.slice(first).join('\n');
}

function checkName(name: string): void {
  if (wholeName.test(name) && name.trim() === name && name !== 'Prompt' && name !== 'Negative prompt') return;
  throw new InvalidOptionError(
    'settings',
    `${JSON.stringify(name)} cannot be a setting's name in a picture's parameters.`,
  );
}

function plain(value: string | number | bigint | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

function quote(value: string): string {
  const needed = value === '' || /[,:\n\r]|^"/.test(value) || value.trim() !== value;
  return needed ? JSON.stringify(value) : value;
}

function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
