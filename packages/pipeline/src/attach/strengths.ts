import { type Conditions, InvalidOptionError, tensor, type Warning } from '@sd/core';
import { describe } from '../checks.js';
import type { Adapter, AdapterKind } from './adapter.js';

/**
 * How strongly something acts: a number, or a function of how far a pass is, 0 at its first step to 1 at its last. A run has
 * one pass, or a second one with `upscale`.
 */
export type Strength = number | ((progress: number) => number);

/** A LoRA's strengths in the two kinds of model that it changes. */
export interface LoraStrengths {
  readonly unet?: Strength;
  /** Text is encoded once, before the first step. */
  readonly textEncoder?: number;
}

export interface StrengthOptions {
  /** Strengths of attached LoRAs by their names: 1 for those not named, 0 to leave one out. */
  readonly loras?: Readonly<Record<string, Strength | LoraStrengths>>;
  /** Strengths of attached hypernetworks by their names: 1 for those not named. */
  readonly hypernetworks?: Readonly<Record<string, Strength>>;
  /** What vectors of attached textual inversions are multiplied by, by their names: 1 for those not named. */
  readonly embeddings?: Readonly<Record<string, number>>;
}

export const strengthOptions: readonly string[] = [
  'loras',
  'hypernetworks',
  'embeddings',
] satisfies (keyof StrengthOptions)[];

/** How strongly each attached adapter acts in one run: the strengths as inputs of a stage, at a point of the run. */
export type Strengths = (part: 'unet' | 'textEncoder' | 'textEncoder2', progress: number) => Conditions;

const options = { lora: 'loras', hypernetwork: 'hypernetworks', 'textual-inversion': 'embeddings' } as const;

interface ReadStrengths {
  readonly strengths: Strengths;
  /** Strengths that were given for a model in which their LoRA changes nothing. */
  readonly warnings: readonly Warning[];
}

/** Reads the strengths of a run. Throws an InvalidOptionError for a name that is not attached, and for what is no strength. */
export function readStrengths(given: StrengthOptions, adapters: readonly Adapter[]): ReadStrengths {
  const used = Object.entries(options).flatMap(([kind, option]) => {
    const ofKind = adapters.filter((adapter) => adapter.kind === kind);
    const named = namedStrengths(option, given, ofKind);
    return ofKind.map((adapter) => {
      const strength = strengthNamed(adapter.name, named);
      return { adapter, strength, ...readStrength(`${option}.${adapter.name}`, strength, adapter.kind) };
    });
  });
  const strengths: Strengths = (part, progress) => {
    const own = used.filter(({ adapter }) => adapter[part] !== undefined);
    return Object.fromEntries(
      own.map(({ adapter, option, unet, textEncoder }) => {
        const value = part === 'unet' ? strengthAt(option, unet, progress) : textEncoder;
        return [`strength.${adapter.name}`, tensor('float32', [1], Float32Array.of(value))];
      }),
    );
  };
  const warnings = used.flatMap(({ adapter, option, strength }) => withoutEffect(adapter, option, strength));
  return { strengths, warnings };
}

function withoutEffect(
  { kind, name, unet, textEncoder, textEncoder2 }: Adapter,
  option: string,
  strength: Strength | LoraStrengths,
): Warning[] {
  if (kind !== 'lora' || typeof strength !== 'object') return [];
  const without = (part: keyof LoraStrengths, what: string): Warning => ({
    code: 'strength-unused',
    message: `${option}.${part} has no effect: ${describe(name)} changes nothing in ${what}.`,
  });
  const inText = textEncoder !== undefined || textEncoder2 !== undefined;
  return [
    ...((strength.unet ?? 0) === 0 || unet !== undefined ? [] : [without('unet', 'the U-Net')]),
    ...((strength.textEncoder ?? 0) === 0 || inText ? [] : [without('textEncoder', 'the text encoders')]),
  ];
}

function namedStrengths(
  option: keyof StrengthOptions,
  given: StrengthOptions,
  attached: readonly Adapter[],
): Readonly<Record<string, Strength | LoraStrengths>> {
  const named = given[option] ?? {};
  if (typeof named !== 'object' || Array.isArray(named)) {
    throw new InvalidOptionError(option, `must be an object of strengths by name, not ${describe(named)}.`);
  }
  for (const name of Object.keys(named)) {
    if (attached.some((adapter) => adapter.name === name)) continue;
    const names = attached.map((adapter) => adapter.name).join(', ');
    const known =
      names === '' ? `None is attached: attach(file, { name: ${JSON.stringify(name)} }) first.` : `There are ${names}.`;
    throw new InvalidOptionError(`${option}.${name}`, `is not attached. ${known}`);
  }
  return named;
}

/** The strength of that name, 1 if there is none. A file may be called `constructor`. */
export function strengthNamed<T>(name: string, named: Readonly<Record<string, T>>): T | 1 {
  const strength = Object.hasOwn(named, name) ? named[name] : undefined;
  return strength === undefined ? 1 : strength;
}

function readStrength(option: string, value: Strength | LoraStrengths, kind: AdapterKind) {
  if (kind === 'textual-inversion' && typeof value === 'function') {
    throw new InvalidOptionError(option, 'must be a number: text is encoded once, before the first step.');
  }
  const apart = kind === 'lora' && typeof value === 'object' && value !== null;
  const {
    unet = 1,
    textEncoder = 1,
    ...rest
  } = apart ? value : { unet: value as Strength, textEncoder: strengthAt(option, value as Strength, 0) };
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    throw new InvalidOptionError(`${option}.${unknown}`, 'is unknown. There are unet, textEncoder.');
  }
  strengthAt(option, unet, 0);
  return { option, unet, textEncoder: strengthAt(option, textEncoder, 0) };
}

/** The strength at a point of the run. Throws an InvalidOptionError unless it is a finite number. */
export function strengthAt(option: string, strength: Strength, progress: number): number {
  const value = typeof strength === 'function' ? strength(progress) : strength;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  const given = typeof strength === 'function' ? `${describe(value)} at ${progress}` : describe(value);
  throw new InvalidOptionError(option, `must be a finite number, or a function that gives one, not ${given}.`);
}
