interface Token {
  readonly matches: (character: string) => boolean;
  /** Whether it may be left out, and whether it may be repeated. */
  readonly optional: boolean;
  readonly repeats: boolean;
}

const classes: Readonly<Record<string, (character: string) => boolean>> = {
  d: (character) => /\d/.test(character),
  w: (character) => /\w/.test(character),
};

/**
 * Whether a pattern of PEFT's `alpha_pattern` or `rank_pattern` is for a module: it names the module, or the end of its
 * name from a dot on, as a regular expression of characters, `.`, `\d`, `\w`, `*`, `+` and `?`, which is matched in time
 * linear in both. Undefined for any other pattern.
 * @see peft/utils/other.py, `get_pattern_key`
 */
export function matchesPattern(module: string, pattern: string): boolean | undefined {
  const whole = pattern.startsWith('^');
  const inner = pattern.replace(/^\^/, '').replace(/\$$/, '');
  // PEFT names a text encoder's modules with `text_model.`, which a file may leave out.
  const names = [module, `text_model.${module}`];
  // Files have hundreds of patterns, nearly all of them plain names.
  if (/^[\w.]*$/.test(inner)) return names.some((name) => endsWith(name, inner, whole));
  const tokens = tokensOf(inner);
  if (tokens === undefined) return undefined;
  return names.some((name) => {
    const starts = whole ? [0] : [0, ...[...name].flatMap((character, i) => (character === '.' ? i + 1 : []))];
    return reachesEnd(name, tokens, starts);
  });
}

/** Whether a name ends with a pattern that has no more than names and `.`, from its start or from a dot on. */
function endsWith(name: string, pattern: string, whole: boolean): boolean {
  const start = name.length - pattern.length;
  if (start < 0 || (start > 0 && (whole || name[start - 1] !== '.'))) return false;
  for (let i = pattern.length - 1; i >= 0; i--) {
    if (pattern[i] !== '.' && pattern[i] !== name[start + i]) return false;
  }
  return true;
}

function tokensOf(pattern: string): Token[] | undefined {
  const parts = [...pattern.matchAll(/(\\.|[^\\*+?()[\]{}|^$])([*+?]?)/g)];
  if (parts.map(([part]) => part).join('') !== pattern) return undefined;
  const tokens = parts.map(([, piece, quantifier]) => {
    const escaped = piece.length === 2 ? piece[1] : undefined;
    const any = piece === '.' ? () => true : (character: string) => character === (escaped ?? piece);
    const matches = escaped !== undefined && Object.hasOwn(classes, escaped) ? classes[escaped] : any;
    return { matches, optional: /[*?]/.test(quantifier), repeats: /[*+]/.test(quantifier) };
  });
  const unknownClass = parts.some(([, piece]) => /^\\[a-zA-Z0-9]$/.test(piece) && !Object.hasOwn(classes, piece[1]));
  return unknownClass ? undefined : tokens;
}

/** Follows all ways through the tokens at once. */
function reachesEnd(name: string, tokens: readonly Token[], starts: readonly number[]): boolean {
  let places = new Set<number>();
  for (let i = 0; i <= name.length; i++) {
    if (starts.includes(i)) places.add(0);
    for (const place of places) if (tokens[place]?.optional) places.add(place + 1);
    if (i === name.length) break;
    const next = new Set<number>();
    for (const place of places) {
      if (!tokens[place]?.matches(name[i])) continue;
      next.add(place + 1);
      if (tokens[place].repeats) next.add(place).add(place + 1);
    }
    places = next;
  }
  return places.has(tokens.length);
}
