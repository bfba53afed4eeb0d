import { InvalidOptionError } from '@sd/core';
import type { ImageInput, Pixels } from '@sd/image';
import { readImage } from '@sd/image';
import { checkOptional, checkPart, describe } from '../checks.js';
import type { Adapter, AdapterKind } from './adapter.js';
import { type Strength, strengthAt } from './strengths.js';

/** A picture that an attached ControlNet or T2I-Adapter holds the drawing to. */
export interface ControlOptions {
  /** What it was attached as; needed only where several are attached. */
  readonly name?: string;
  /** An edge map, a depth map, a pose: what it was trained on. It is scaled to the size of the drawing. */
  readonly image: ImageInput;
  /** How strongly it acts: 1 by default. */
  readonly strength?: Strength;
  /** The part of the run in which it acts, 0 to 1, in calls of the model: all of it by default. */
  readonly start?: number;
  readonly end?: number;
  /** Lets a ControlNet recognise the picture without a prompt; a guidance scale of 3 to 5 goes with it. */
  readonly guess?: boolean;
}

/** Pictures that an attached IP-Adapter shows to the model as a prompt. */
export interface ImagePromptOptions {
  /** What it was attached as; needed only where several are attached. */
  readonly name?: string;
  /** A picture, or several that are shown together. */
  readonly image: ImageInput | readonly ImageInput[];
  /** How strongly it acts: 1 by default. */
  readonly strength?: Strength;
  /** The part of the run in which it acts, 0 to 1, in calls of the model: all of it by default. */
  readonly start?: number;
  readonly end?: number;
}

/** An entry, checked, with its pictures read. */
export interface PictureEntry {
  /** Names it in messages: `controls[0]`. */
  readonly entry: string;
  readonly adapter: Adapter;
  readonly pictures: readonly Pixels[];
  readonly strength: Strength;
  readonly start: number;
  readonly end: number;
  readonly guess: boolean;
}

const kinds: Readonly<Record<'controls' | 'imagePrompts', readonly AdapterKind[]>> = {
  controls: ['controlnet', 't2i-adapter'],
  imagePrompts: ['ip-adapter'],
};

const names: Readonly<Record<keyof typeof kinds, readonly string[]>> = {
  controls: ['name', 'image', 'strength', 'start', 'end', 'guess'] satisfies (keyof ControlOptions)[],
  imagePrompts: ['name', 'image', 'strength', 'start', 'end'] satisfies (keyof ImagePromptOptions)[],
};

/** Checks the entries of an option and reads their pictures. Rejects with an InvalidOptionError that names the entry. */
export async function readEntries(
  option: keyof typeof kinds,
  entries: readonly (ControlOptions | ImagePromptOptions)[],
  adapters: readonly Adapter[],
): Promise<PictureEntry[]> {
  if (!Array.isArray(entries)) throw new InvalidOptionError(option, `must be a list, not ${describe(entries)}.`);
  const ofKind = adapters.filter(({ kind }) => kinds[option].includes(kind));
  const read = await Promise.all(
    entries.map(async (entry, i) => {
      const at = `${option}[${i}]`;
      checkEntry(at, entry, names[option]);
      const {
        image,
        strength = 1,
        start = 0,
        end = 1,
        guess = false,
      }: ControlOptions | (ImagePromptOptions & { guess?: boolean }) = entry;
      strengthAt(`${at}.strength`, strength, 0);
      const images = Array.isArray(image) ? image : [image];
      if (images.length === 0) throw new InvalidOptionError(`${at}.image`, 'must be at least one picture.');
      if (option === 'controls' && images.length > 1)
        throw new InvalidOptionError(`${at}.image`, 'must be one picture.');
      return {
        entry: at,
        adapter: adapterOf(`${at}.name`, entry.name, ofKind, kinds[option]),
        pictures: await Promise.all(images.map((one: ImageInput) => readImage(one, `${at}.image`))),
        strength,
        start,
        end,
        guess,
      };
    }),
  );
  refuseTwice(read);
  const guessing = read.find(({ adapter, guess }) => guess && adapter.fused);
  if (guessing === undefined) return read;
  throw new InvalidOptionError(
    `${guessing.entry}.guess`,
    `is not for ${describe(guessing.adapter.name)}, which was exported inside the U-Net: it acts on the negative prompt’s side too, and on all layers alike.`,
  );
}

/**
 * Residuals of one ControlNet for two pictures add up, unless it runs inside the U-Net; pictures of one image prompt are heard
 * together.
 */
function refuseTwice(entries: readonly PictureEntry[]): void {
  entries.forEach(({ adapter, entry }, i) => {
    if (!adapter.fused && adapter.kind !== 'ip-adapter') return;
    if (entries.findIndex((other) => other.adapter === adapter) === i) return;
    const hint = adapter.fused ? 'it was exported to take one' : 'give one list of pictures for both';
    throw new InvalidOptionError(
      `${entry}.image`,
      `is for ${describe(adapter.name)}, which has a picture already: ${hint}.`,
    );
  });
}

function checkEntry(at: string, entry: ControlOptions, known: readonly string[]): void {
  if (typeof entry !== 'object' || entry === null) {
    throw new InvalidOptionError(at, `must be an object with ${known.join(', ')}, not ${describe(entry)}.`);
  }
  for (const name of Object.keys(entry)) {
    if (!known.includes(name))
      throw new InvalidOptionError(`${at}.${name}`, `is unknown. There are ${known.join(', ')}.`);
  }
  for (const part of ['start', 'end'] as const) if (entry[part] !== undefined) checkPart(`${at}.${part}`, entry[part]);
  checkOptional(`${at}.guess`, entry.guess, typeof entry.guess === 'boolean', 'true or false');
  if ((entry.start ?? 0) >= (entry.end ?? 1)) {
    throw new InvalidOptionError(`${at}.end`, `must be more than its start, ${entry.start ?? 0}.`);
  }
}

function adapterOf(
  option: string,
  name: string | undefined,
  attached: readonly Adapter[],
  wanted: readonly AdapterKind[],
): Adapter {
  const found = name === undefined && attached.length === 1 ? attached[0] : attached.find((one) => one.name === name);
  if (found !== undefined) return found;
  const there =
    attached.length === 0
      ? `No ${wanted.join(' or ')} is attached`
      : `There are ${attached.map((one) => one.name).join(', ')}`;
  throw new InvalidOptionError(option, name === undefined ? `is needed. ${there}.` : `is ${describe(name)}. ${there}.`);
}
