/** A function that matches a sticky pattern at an index of a text. */
function matcher(pattern: RegExp) {
  return (text: string, start: number): RegExpExecArray | undefined => {
    pattern.lastIndex = start;
    return pattern.exec(text) ?? undefined;
  };
}

/** A word without characters that have a meaning, unless escaped. A `-` inside a word belongs to it: `blue-eyed`. */
export const matchWord = matcher(/(?:\\[()",.+\-=]|[-+](?![\s()",.+\-=]|$)|-?\d+|[^\s()",.+\-=])+/y);

/** Everything up to the next space. */
export const matchNonSpaces = matcher(/\S+/y);

/** `+`, `++`, `-`... */
export const matchSigns = matcher(/\++|-+/y);

/** A weight: `1.3`, `.5`, `2`. */
export const matchWeight = matcher(/[+-]?(?:\d+\.\d*|\.\d+)|\d+/y);

/** Text in double quotes, on one line. */
export const matchQuoted = matcher(/"((?:\\"|[^"\n\r])*)"/y);

/** `withLora(name)` or `withLora(name, 0.5)`, also `useLora`. */
export const matchLora = matcher(/(?:use|with)Lora\s*\(\s*([\w-]+)\s*(?:,\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*)?\)/y);

/** `.attend(+)` or `.attend(1.3)`. */
export const matchAttend = matcher(/\s*\.attend\s*\(\s*(\++|-+|[+-]?(?:\d+\.\d*|\.\d+)|\d+)\s*\)/y);

/** The start of `.swap(dog, s_end=0.5)`, and what ends it after the text. */
export const matchSwapStart = matcher(/\s*\.swap\s*\(/y);
export const matchSwapEnd = matcher(/\s*(?:,[\s\w.,=+-]*)?\)/y);

/** `.and(1, 0.5)` and `.blend(1, 0.8, no_normalize)`. */
export const matchOperator = matcher(/\s*\.(and|add|blend)\s*\(([^()]*)\)/y);

const matchSpaces = matcher(/\s+/y);

/** The index of the next character that is not a space. */
export function skipSpaces(text: string, start: number): number {
  return /\S/.test(text[start] ?? '') ? start : start + (matchSpaces(text, start)?.[0].length ?? 0);
}
