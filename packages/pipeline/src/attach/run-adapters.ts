import { type Conditions, InvalidOptionError, type NoisePredictor, type Warning } from '@sd/core';
import type { Condition } from '@sd/guidance';
import { checkWhole } from '../checks.js';
import type { Adapter, Drawing } from './adapter.js';
import type { ControlOptions, ImagePromptOptions, PictureEntry } from './picture-options.js';
import { readStrengths, type StrengthOptions, strengthAt, strengthOptions } from './strengths.js';
import { type WordVectors, wordVectors } from './words.js';

/** The options of a run that are for what is attached. */
export interface AdapterOptions extends StrengthOptions {
  /** Frames of a clip, with an attached motion adapter: 16 by default. */
  readonly frames?: number;
  /** Pictures for attached ControlNets and T2I-Adapters; several may act at once. */
  readonly controls?: readonly ControlOptions[];
  /** Pictures for attached IP-Adapters. */
  readonly imagePrompts?: readonly ImagePromptOptions[];
}

export const adapterOptions: readonly string[] = [
  ...strengthOptions,
  ...(['frames', 'controls', 'imagePrompts'] satisfies (keyof AdapterOptions)[]),
];

/** How far a pass is: the step that is taken now and the call of the model, from 0, and of how many. */
export interface Clock {
  readonly step: number;
  readonly steps: number;
  readonly call: number;
  readonly calls: number;
}

/** One pass of a run, as what is attached needs to know it. */
export interface AdapterPass {
  /** Size of the picture that is drawn, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly clock: () => Clock;
  /** What the U-Net hears beside text by itself. */
  readonly told?: Condition;
  readonly signal: AbortSignal | undefined;
}

/** What is attached, in one run. */
export interface RunAdapters {
  /** What of the options has no effect. */
  readonly warnings: readonly Warning[];
  /** Inputs of a text encoder. */
  text(part: 'textEncoder' | 'textEncoder2'): Conditions;
  /** Words that a text encoder was taught. */
  words(part: 'textEncoder' | 'textEncoder2'): WordVectors | undefined;
  /** How many frames a clip has; undefined where pictures are drawn. */
  readonly frames: number | undefined;
  /** The U-Net for clips, if clips are drawn. */
  clips(unet: NoisePredictor): Promise<NoisePredictor>;
  /** Conditions of the U-Net in one pass. */
  unet(pass: AdapterPass): Promise<Condition[]>;
  /** Frees what adapters hold between uses. */
  release(): Promise<void>;
}

/** Reads what a run's options say of what is attached. Rejects with an InvalidOptionError. */
export async function readAdapters(options: AdapterOptions, adapters: readonly Adapter[]): Promise<RunAdapters> {
  const { strengths, warnings } = readStrengths(options, adapters);
  const entries = await readPictureEntries(options, adapters);
  const frames = readFrames(options, adapters);
  const readings = entries.map(({ adapter, pictures, entry }) =>
    oncePerSize(adapter.pictures!.read(pictures, `${entry}.image`)),
  );
  return {
    warnings,
    frames,
    async clips(unet) {
      if (frames === undefined) return unet;
      const { clipUnet } = await import('@sd/adapters');
      return clipUnet(unet, frames);
    },
    text: (part) => strengths(part, 0),
    words: (part) => wordVectors(part, adapters, options.embeddings ?? {}),
    async unet({ clock, width, height, told, signal }) {
      const conditions: Condition[] = [];
      if (adapters.some(({ unet }) => unet !== undefined)) conditions.push(() => strengths('unet', progress(clock())));
      for (const [i, { entry, strength, start, end, guess }] of entries.entries()) {
        const reading = await readings[i]!({ width, height, signal });
        const now = () =>
          acts(clock(), start, end) ? strengthAt(`${entry}.strength`, strength, progress(clock())) : 0;
        conditions.push(reading({ strength: now, guess, told, signal }));
      }
      return conditions;
    },
    async release() {
      await Promise.all(adapters.map((adapter) => adapter.release?.()));
    },
  };
}

/** For all passes that draw a size. */
function oncePerSize<T>(read: (drawing: Drawing) => T): (drawing: Drawing) => T {
  const known = new Map<string, T>();
  return (drawing) => {
    const key = `${drawing.width} x ${drawing.height}`;
    const reading = known.get(key) ?? read(drawing);
    known.set(key, reading);
    return reading;
  };
}

async function readPictureEntries(options: AdapterOptions, adapters: readonly Adapter[]): Promise<PictureEntry[]> {
  const { controls, imagePrompts } = options;
  if (controls === undefined && imagePrompts === undefined) return [];
  const { readEntries } = await import('./picture-options.js');
  return [
    ...(await readEntries('controls', controls ?? [], adapters)),
    ...(await readEntries('imagePrompts', imagePrompts ?? [], adapters)),
  ];
}

function readFrames(options: AdapterOptions, adapters: readonly Adapter[]): number | undefined {
  const most = adapters.find(({ kind }) => kind === 'motion-adapter')?.maxFrames;
  if (most === undefined) {
    if (options.frames === undefined) return undefined;
    throw new InvalidOptionError('frames', 'is for a motion adapter, and none is attached.');
  }
  const { frames = Math.min(16, most) } = options;
  checkWhole('frames', frames, 1);
  if (frames > most)
    throw new InvalidOptionError('frames', `must be at most ${most}, not ${frames}: the motion adapter knows no more.`);
  for (const other of ['controls', 'image', 'latents', 'upscale'] as const) {
    if ((options as Record<string, unknown>)[other] === undefined) continue;
    throw new InvalidOptionError(other, 'does not go with clips yet: detach the motion adapter to draw pictures.');
  }
  return frames;
}

function progress({ step, steps }: Clock): number {
  return steps > 1 ? step / (steps - 1) : 0;
}

/** As diffusers' `controlnet_keep`, over calls of the model, of which a step may have two: inside if all of one is. */
function acts({ call, calls }: Clock, start: number, end: number): boolean {
  return call / calls >= start && (call + 1) / calls <= end;
}
