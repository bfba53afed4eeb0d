const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A number as prompts write one, spaces around it allowed; undefined for any other text. */
export function readNumber(text: string): number | undefined {
  const written = text.trim();
  const value = number.test(written) ? Number(written) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}
