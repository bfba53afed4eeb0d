import type { RunStep } from '../../prompt-plan.js';
import { readNumber } from '../number.js';

/** A prompt's text over the steps: what is constant, what changes at a step, what alternates. */
export type Schedule = readonly (string | Change | Alternation)[];

interface Change {
  readonly before: Schedule;
  readonly after: Schedule;
  /** When, in steps or as a fraction of the steps. */
  readonly value: number;
  /** Whether `value` is a fraction: true if it was written with a decimal point. */
  readonly isFraction: boolean;
}

interface Alternation {
  readonly alternatives: readonly Schedule[];
}

interface OpenBracket {
  readonly bracket: '(' | '[';
  /** Index of the bracket in the output. */
  readonly start: number;
  /** Indexes in the output of the `:` and `|` that stand directly in the bracket. */
  readonly separators: number[];
}

type Output = Schedule[number][];

/**
 * Parses `[from:to:when]`, `[to:when]`, `[from::when]` and `[a|b|c]`, which may be nested. Other brackets, unclosed
 * brackets and what `\` escapes stay in the text.
 *
 * Follows A1111 (wiki: Features, Prompt editing and Alternating words).
 */
export function readSchedule(text: string): Schedule {
  const output: Output = [];
  let open: OpenBracket[] = [];
  for (const piece of text.match(/\\[\s\S]|[^\\()[\]:|]+|[\s\S]/g) ?? []) {
    const innermost = open.at(-1);
    const start = output.length;
    output.push(piece);
    if (piece === '(' || piece === '[') open.push({ bracket: piece, start, separators: [] });
    else if (piece === ':' || piece === '|') innermost?.separators.push(start);
    else if (piece === ')' || piece === ']') {
      if (innermost?.bracket !== (piece === ')' ? '(' : '[')) {
        // Overlapping brackets belong to no schedule.
        open = [];
        continue;
      }
      open.pop();
      const node = piece === ']' ? nodeOf(output, innermost) : undefined;
      if (node !== undefined) output.splice(innermost.start, output.length, node);
    }
  }
  return joinStrings(output);
}

/** The change or alternation between a `[` and the `]` that ends the output; undefined if it is neither. */
function nodeOf(output: Output, { start, separators }: OpenBracket): Change | Alternation | undefined {
  const kinds = new Set(separators.map((index) => output[index]));
  if (kinds.size !== 1) return undefined;
  const between = (ends: readonly number[]) =>
    ends.map((end, i) => joinStrings(output.slice((ends[i - 1] ?? start) + 1, end)));
  if (kinds.has('|')) return { alternatives: between([...separators, output.length - 1]) };
  // The rest is parsed only once this is a schedule: other brackets may be nested as deeply as the text is long.
  const when = separators.length > 2 ? undefined : whenOf(output, separators.at(-1)!);
  if (when === undefined) return undefined;
  const items = between(separators);
  return { before: items.length === 2 ? items[0] : [], after: items.at(-1)!, ...when };
}

/** The number between the last separator and the end. It is a single piece, since a number has none of the special characters. */
function whenOf(output: Output, separator: number): Pick<Change, 'value' | 'isFraction'> | undefined {
  const written = output[separator + 1];
  if (separator + 3 !== output.length || typeof written !== 'string') return undefined;
  const value = readNumber(written);
  return value === undefined ? undefined : { value, isFraction: written.includes('.') };
}

function joinStrings(pieces: Output): Schedule {
  const result: Output = [];
  let run: string[] = [];
  const flush = () => {
    if (run.length > 0) result.push(run.join(''));
    run = [];
  };
  for (const piece of pieces) {
    if (typeof piece === 'string') run.push(piece);
    else {
      flush();
      result.push(piece);
    }
  }
  flush();
  return result;
}

/** The text at a step. A change at step 5 happens after five steps; the first step takes the first alternative. */
export function scheduledText(schedule: Schedule, place: RunStep): string {
  const pieces: string[] = [];
  const waiting = [...schedule].reverse();
  for (let piece = waiting.pop(); piece !== undefined; piece = waiting.pop()) {
    if (typeof piece === 'string') {
      pieces.push(piece);
      continue;
    }
    const chosen =
      'alternatives' in piece ? piece.alternatives[place.step % piece.alternatives.length] : sideOf(piece, place);
    for (let i = chosen.length - 1; i >= 0; i--) waiting.push(chosen[i]);
  }
  return pieces.join('');
}

/** In the second pass fractions count from 1 to 2, and steps go on from those of the first pass. */
function sideOf({ before, after, value, isFraction }: Change, { step, steps, firstPassSteps }: RunStep): Schedule {
  const passed = firstPassSteps === undefined ? 0 : isFraction ? 1 : firstPassSteps;
  const changeStep = (value - passed) * (isFraction ? steps : 1);
  return step < Math.trunc(changeStep) ? before : after;
}
