/** Texts that are longer are no misspelled names. */
const longest = 60;

/**
 * The name that was probably meant: the same without regard to case and separators (`guidance_scale`), one that another
 * library has for it (`num_inference_steps`), or the nearest by spelling, which differs in at most a third of its letters.
 */
export function nearestName(
  given: string,
  names: readonly string[],
  othersOf: (name: string) => readonly string[] = () => [],
): string | undefined {
  const wanted = plain(given);
  const same = names.find((name) => [name, ...othersOf(name)].some((spelling) => plain(spelling) === wanted));
  if (same !== undefined || given.length > longest) return same;
  const ranked = names.map((name) => ({ name, edits: editsBetween(wanted, plain(name)) }));
  const best = ranked.reduce((a, b) => (b.edits < a.edits ? b : a), { name: '', edits: Number.POSITIVE_INFINITY });
  return best.edits <= wanted.length / 3 ? best.name : undefined;
}

const plain = (name: string) => name.toLowerCase().replace(/[\s_-]/g, '');

/** Letters to insert, delete, replace or swap with their neighbour (Damerau and Levenshtein). */
function editsBetween(a: string, b: string): number {
  const edits = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  for (let j = 1; j <= b.length; j++) edits[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const changed = edits[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? edits[i - 2][j - 2] + 1 : changed;
      edits[i][j] = Math.min(edits[i - 1][j] + 1, edits[i][j - 1] + 1, changed, swapped);
    }
  }
  return edits[a.length][b.length];
}
