import { repeatToSameLength } from '../../embedding/lengths.js';
import { scaleKeepingMean } from '../../embedding/weights.js';
import { type PromptPart, type PromptPlan, type PromptText, type RunStep, textOf } from '../prompt-plan.js';
import type { PromptSyntax } from '../prompt-syntax.js';
import { readEmphasis } from './a1111/emphasis.js';
import { takeNetworks } from './a1111/extra-networks.js';
import { readSchedule, scheduledText } from './a1111/schedule.js';

/** A1111's syntax: `(word:1.3)`, `[from:to:when]`, `[a|b]`, `AND`, `BREAK`, `<lora:name:0.7>`. */
export const a1111: PromptSyntax<'a1111'> = {
  name: 'a1111',
  parse: (text, { negative }) => parseA1111(text, negative),
  chunks: { commaLookBack: 20 },
  weigh: scaleKeepingMean,
  align: repeatToSameLength,
};

const and = /(?<![\p{L}\p{N}_])AND(?![\p{L}\p{N}_])/u;
const number = /^[+-]?(?:\d+\.?|\d*\.\d+)$/;

/**
 * Parses in A1111's order: `<lora:...>` is taken out, `AND` divides the prompt into parts, each with a weight at its end
 * (` :0.7`), the schedules of each part give its text at a step, and that text has its emphasis.
 */
function parseA1111(prompt: string, negative: boolean): PromptPlan {
  if (negative) return { parts: [partOf(prompt, 1)], networks: [] };
  const { text, networks } = takeNetworks(prompt);
  const parts = text.split(and).map((part) => {
    const { text, weight } = takeWeight(part);
    return partOf(text, weight);
  });
  return { parts, networks };
}

/** A weight at the end of a prompt counts without `AND` too, as in A1111. */
function takeWeight(text: string): { readonly text: string; readonly weight: number } {
  const colon = text.lastIndexOf(':');
  const written = text.slice(colon + 1).trim();
  if (colon === -1 || !number.test(written)) return { text, weight: 1 };
  return { text: text.slice(0, colon).trimEnd(), weight: Number(written) };
}

function partOf(prompt: string, weight: number): PromptPart {
  const schedule = readSchedule(prompt);
  const parsed = new Map<string, PromptText>();
  const at = (place: RunStep): PromptText => {
    const text = scheduledText(schedule, place);
    const known = parsed.get(text) ?? textOf(readEmphasis(text));
    parsed.set(text, known);
    return known;
  };
  return { weight, at };
}
