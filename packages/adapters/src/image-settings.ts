import { InvalidOptionError, settleAll } from '@sd/core';
import { type CheckOptionsSettings, checkOptions, fraction, type OptionRow, type OptionTable } from '@sd/core/options';
import { type Condition, conditionsOf, type ModelCall } from '@sd/guidance';
import { type ImageInput, type Pixels, readImage } from '@sd/image';
import type { AdapterPass, AdapterUse } from './adapter.js';
import { actsAt, fractionOf, type Strength, strengthAt } from './strength.js';

/** How strongly, and in which part of a run, an adapter acts that reads an image. */
export interface ImageStrengthSettings {
  /** How strongly it acts: 1 by default. */
  readonly strength?: Strength | undefined;
  /** The fraction of the run's calls of the model from which on it acts: 0 by default. */
  readonly start?: number | undefined;
  /** The fraction of the run's calls of the model up to which it acts: 1 by default. */
  readonly end?: number | undefined;
}

/** A row for a strength. */
export const strengthRow = {
  type: 'number | ((fraction: number) => number)',
  default: '1',
  check: (option: string, value: unknown) => void strengthAt(option, value as Strength, 0),
} as const;

/** Shared by the kinds that read images. */
export const imageStrengthOptions: OptionTable<ImageStrengthSettings> = {
  strength: {
    ...strengthRow,
    text: 'How strongly it acts; as a function, it gets the progress of the pass, from 0 at the first step to 1 at the last.',
  },
  start: { ...fraction, default: '0', text: "The fraction of the run's model calls at which it begins to act." },
  end: { ...fraction, default: '1', text: "The fraction of the run's model calls at which it stops acting." },
};

/** Settings that condition the result on an image. */
export interface ControlSettings extends ImageStrengthSettings {
  /** An edge map, a depth map, a pose: what the adapter was trained on. It is scaled to the size of the result. */
  readonly image: ImageInput;
}

/** The row of a control image, which `readImage` checks. */
export const controlImageRow: OptionRow = {
  type: 'ImageInput',
  text: 'An edge map, a depth map, a pose: what the adapter was trained on. It is scaled to the size of the run.',
};

/**
 * Checks settings against their table, and that they start before they end; gives the strength at a call of the model, which
 * is 0 where they do not act. Throws an InvalidOptionError that names the setting.
 */
export function readStrength(
  option: string,
  settings: unknown,
  table: Record<string, OptionRow>,
  of: string,
): (call: ModelCall) => number {
  const names: CheckOptionsSettings = { of, prefix: `${option}.` };
  checkOptions(settings, table, names);
  const { strength = 1, start = 0, end = 1 } = settings as ImageStrengthSettings;
  if (start >= end) throw new InvalidOptionError(`${option}.end`, `must be more than its start, ${start}.`);
  return ({ progress }) =>
    actsAt(progress, start, end) ? strengthAt(`${option}.strength`, strength, fractionOf(progress)) : 0;
}

/** A control image that was read, and how it acts. */
export interface Control<Settings extends ControlSettings> {
  /** What messages call the settings: `adapters.edges`, or `adapters.edges[1]` in a list. */
  readonly option: string;
  readonly settings: Settings;
  readonly image: Pixels;
  readonly strength: (call: ModelCall) => number;
}

/**
 * Reads the settings of an adapter that takes control images: one, or a list of them; none where the run does not mention
 * it. Rejects with an InvalidOptionError that names the setting.
 */
export async function readControls<Settings extends ControlSettings>(
  option: string,
  settings: unknown,
  table: OptionTable<Settings>,
  of: string,
): Promise<readonly Control<Settings>[]> {
  if (settings === undefined) return [];
  const entries = Array.isArray(settings)
    ? settings.map((entry: unknown, i) => [`${option}[${i}]`, entry] as const)
    : [[option, settings] as const];
  return settleAll(
    entries.map(([entryOption, entry]) => async () => {
      const strength = readStrength(entryOption, entry, table, of);
      const image = await readImage((entry as Settings).image, `${entryOption}.image`);
      return { option: entryOption, settings: entry as Settings, image, strength };
    }),
  );
}

/** How one control acts in a pass, once its image is read at the size of the pass. */
export type ReadControl = (pass: AdapterPass) => Condition;

/**
 * The use of control images in a run: each is read once per size, and what they add to the noise predictor sums up. Without
 * any the adapter does nothing.
 */
export function useControls<Settings extends ControlSettings>(
  controls: readonly Control<Settings>[],
  read: (control: Control<Settings>, pass: AdapterPass) => Promise<ReadControl>,
): AdapterUse {
  if (controls.length === 0) return {};
  const readings = controls.map((control) => oncePerSize((pass) => read(control, pass)));
  return {
    spatial: true,
    async condition(pass) {
      const acting: Condition[] = [];
      for (const reading of readings) acting.push((await reading(pass))(pass));
      return async (call) => (await conditionsOf(acting, call)) ?? {};
    },
  };
}

function oncePerSize<T>(read: (pass: AdapterPass) => T): (pass: AdapterPass) => T {
  const known = new Map<string, T>();
  return (pass) => {
    const size = `${pass.width} x ${pass.height}`;
    const reading = known.get(size) ?? read(pass);
    known.set(size, reading);
    return reading;
  };
}
