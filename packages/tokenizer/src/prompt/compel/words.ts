function reader(pattern: RegExp) {
  return (text: string, at: number): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text) ?? undefined;
  };
}

/** A word without a sign that means something, but for escaped ones. A `-` inside a word is its own: `blue-eyed`. */
export const readWord = reader(/(?:\\[()",.+\-=]|[-+](?![\s()",.+\-=]|$)|-?\d+|[^\s()",.+\-=])+/y);

/** Whatever stands before the next space. */
export const readFree = reader(/\S+/y);

/** `+`, `++`, `-`... */
export const readSign = reader(/\++|-+/y);

/** A weight: `1.3`, `.5`, `2`. */
export const readWeight = reader(/[+-]?(?:\d+\.\d*|\.\d+)|\d+/y);

/** What stands in double quotes, on one line. */
export const readQuoted = reader(/"((?:\\"|[^"\n\r])*)"/y);

/** `withLora(name)` or `withLora(name, 0.5)`, also `useLora`. */
export const readLora = reader(/(?:use|with)Lora\s*\(\s*([\w-]+)\s*(?:,\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*)?\)/y);

/** `.attend(+)` or `.attend(1.3)`. */
export const readAttend = reader(/\s*\.attend\s*\(\s*(\++|-+|[+-]?(?:\d+\.\d*|\.\d+)|\d+)\s*\)/y);

/** The beginning of `.swap(dog, s_end=0.5)`, and its end after the text. */
export const readSwap = reader(/\s*\.swap\s*\(/y);
export const readSwapEnd = reader(/\s*(?:,[\s\w.,=+-]*)?\)/y);

/** `.and(1, 0.5)` and `.blend(1, 0.8, no_normalize)`. */
export const readOperator = reader(/\s*\.(and|add|blend)\s*\(([^()]*)\)/y);

/** Past the spaces. */
export function skipSpaces(text: string, at: number): number {
  return /\S/.test(text[at] ?? '') ? at : at + (spaces(text, at)?.[0].length ?? 0);
}

const spaces = reader(/\s+/y);
