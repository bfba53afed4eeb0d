import { readAttention } from './attention.js';
import { takeNetworks } from './networks.js';
import { type PromptPart, type PromptPlan, type PromptText, type RunStep, textOf } from './plan.js';
import { readSchedule, scheduledText } from './schedule.js';

const and = /(?<![\p{L}\p{N}_])AND(?![\p{L}\p{N}_])/u;
const weight = /^[+-]?(?:\d+\.?|\d*\.\d+)$/;

/**
 * A prompt as A1111 reads it, in its order: `<lora:...>` is taken out, `AND` divides it into parts, each with a weight at
 * its end (` :0.7`), each part has its schedules, and what these give has its emphasis.
 */
export function parseA1111(text: string, negative: boolean): PromptPlan {
  if (negative) return { syntax: 'a1111', parts: [partOf(text, 1)], networks: [] };
  const { text: rest, networks } = takeNetworks(text);
  const parts = rest.split(and).map((part) => {
    const { text, weight } = takeWeight(part);
    return partOf(text, weight);
  });
  return { syntax: 'a1111', parts, networks };
}

/** A weight counts at the end of a prompt without `AND` too, as in A1111. */
function takeWeight(text: string): { readonly text: string; readonly weight: number } {
  const at = text.lastIndexOf(':');
  const written = text.slice(at + 1).trim();
  if (at === -1 || !weight.test(written)) return { text, weight: 1 };
  return { text: text.slice(0, at).trimEnd(), weight: Number(written) };
}

function partOf(text: string, weight: number): PromptPart {
  const schedule = readSchedule(text);
  const read = new Map<string, PromptText>();
  const at = (place: RunStep): PromptText => {
    const now = scheduledText(schedule, place);
    const known = read.get(now) ?? textOf(readAttention(now));
    read.set(now, known);
    return known;
  };
  return { weight, at };
}
