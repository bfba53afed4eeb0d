import { readNumber } from './number.js';
import type { RunStep } from './plan.js';

/** A prompt's text over the steps: what stands, what changes at a step, what takes turns. */
export type Schedule = readonly (string | Change | Turns)[];

interface Change {
  readonly before: Schedule;
  readonly after: Schedule;
  readonly value: number;
  /** Was the value written with a point? Then it is a part of the steps, else a number of them. */
  readonly part: boolean;
}

interface Turns {
  readonly turns: readonly Schedule[];
}

interface Open {
  readonly bracket: '(' | '[';
  /** Where in the output the bracket stands. */
  readonly start: number;
  /** Where in the output the bracket's own `:` and `|` stand. */
  readonly marks: number[];
}

type Output = Schedule[number][];

/**
 * Reads `[from:to:when]`, `[to:when]`, `[from::when]` and `[a|b|c]`, in each other too. Brackets that are none of these,
 * or that are not closed, stay as they are; so does what `\` escapes.
 *
 * Follows A1111 (wiki: Features, Prompt editing and Alternating words).
 */
export function readSchedule(text: string): Schedule {
  const out: Output = [];
  let open: Open[] = [];
  for (const piece of text.match(/\\[\s\S]|[^\\()[\]:|]+|[\s\S]/g) ?? []) {
    const top = open.at(-1);
    const start = out.length;
    out.push(piece);
    if (piece === '(' || piece === '[') open.push({ bracket: piece, start, marks: [] });
    else if (piece === ':' || piece === '|') top?.marks.push(start);
    else if (piece === ')' || piece === ']') {
      if (top?.bracket !== (piece === ')' ? '(' : '[')) {
        // Brackets that overlap belong to no schedule.
        open = [];
        continue;
      }
      open.pop();
      const node = piece === ']' ? nodeOf(out, top) : undefined;
      if (node !== undefined) out.splice(top.start, out.length, node);
    }
  }
  return joined(out);
}

/** The change or the turns between a `[` and the `]` that was put out last. */
function nodeOf(out: Output, { start, marks }: Open): Change | Turns | undefined {
  const kinds = new Set(marks.map((mark) => out[mark]));
  if (kinds.size !== 1) return undefined;
  const ends = [...marks, out.length - 1];
  const items = ends.map((end, i) => joined(out.slice((ends[i - 1] ?? start) + 1, end)));
  if (kinds.has('|')) return { turns: items };
  const when = items.pop();
  if (items.length > 2 || when?.length !== 1 || typeof when[0] !== 'string') return undefined;
  const value = readNumber(when[0]);
  if (value === undefined) return undefined;
  return { before: items.length === 2 ? items[0]! : [], after: items.at(-1)!, value, part: when[0].includes('.') };
}

function joined(pieces: Output): Schedule {
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

/** The text in force at a step. A text that changes at step 5 changes after five steps; of turns the first has the first step. */
export function scheduledText(schedule: Schedule, place: RunStep): string {
  const pieces: string[] = [];
  const waiting = [...schedule].reverse();
  for (let piece = waiting.pop(); piece !== undefined; piece = waiting.pop()) {
    if (typeof piece === 'string') {
      pieces.push(piece);
      continue;
    }
    const chosen = 'turns' in piece ? piece.turns[place.step % piece.turns.length]! : changed(piece, place);
    for (let i = chosen.length - 1; i >= 0; i--) waiting.push(chosen[i]!);
  }
  return pieces.join('');
}

/** In the second pass parts count from 1 to 2, and numbers of steps go on from the first pass's. */
function changed({ before, after, value, part }: Change, { step, steps, firstPassSteps }: RunStep): Schedule {
  const passed = firstPassSteps === undefined ? 0 : part ? 1 : firstPassSteps;
  const count = (value - passed) * (part ? steps : 1);
  return step < Math.trunc(count) ? before : after;
}
