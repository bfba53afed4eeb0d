import type { AdapterPass, AdapterSettings, AdapterUse, ClipUse, LearnedWords } from '@sd/adapters';
import {
  type Conditions,
  InvalidOptionError,
  type NoisePredictor,
  settleAll,
  show,
  type Tensor,
  tensor,
  type Warning,
} from '@sd/core';
import { describe } from '@sd/core/options';
import type { Condition } from '@sd/guidance';
import type { NetworkMention } from '@sd/tokenizer/prompt';
import { type AttachedAdapter, disagreement } from './attached-defaults.js';
import { settingsInPrompts } from './prompt-networks.js';

/** A run's option for attached adapters. */
export interface AdapterOptions {
  /**
   * Settings of attached adapters, by name: a strength for a LoRA, an image for a ControlNet, and so on for each kind.
   */
  readonly adapters?: Readonly<Record<string, AdapterSettings | undefined>>;
}

/** The words of attached textual inversions for one text encoder. */
export interface WordVectors {
  /** Number of vectors of each word. */
  readonly counts: ReadonlyMap<string, number>;
  /** All vectors, in the order of the words, [sum of counts, width]. */
  readonly vectors: Tensor<'float32'>;
}

/** Attached adapters in one run. */
export interface RunAdapters {
  readonly warnings: readonly Warning[];
  /** Further inputs of a text encoder, by its component name. */
  textInputs(component: string): Conditions;
  /** Words that a text encoder has learned; undefined if there are none. */
  words(component: string): WordVectors | undefined;
  /** The number of frames of a clip; undefined for single images. */
  readonly frames: number | undefined;
  /** The run's noise predictor: `single`, or one for clips around it. */
  noisePredictor(single: NoisePredictor): NoisePredictor;
  /** Conditions of the noise predictor in one pass. */
  conditions(pass: AdapterPass): Promise<Condition[]>;
  /** Frees what adapters hold between runs. */
  release(): Promise<void>;
}

/** Options that clips do not support yet. */
interface SingleImageOptions {
  readonly image?: unknown;
  readonly latents?: unknown;
  readonly upscale?: unknown;
}

/**
 * Reads a run's settings of attached adapters: those in its options, and for other adapters those in prompts. Rejects with
 * an InvalidOptionError.
 */
export async function readAdapters(
  options: AdapterOptions & SingleImageOptions,
  networks: readonly NetworkMention[],
  adapters: readonly AttachedAdapter[],
): Promise<RunAdapters> {
  const { adapters: inOptions = {} } = options;
  checkNames(inOptions, adapters);
  const inPrompts = settingsInPrompts(networks, adapters);
  const settings: Readonly<Record<string, unknown>> = { ...inPrompts.settings, ...inOptions };
  const uses = await settleAll(adapters.map((adapter) => () => useAdapter(adapter, settings)));
  const clip = clipOf(uses, options);
  return {
    warnings: [
      ...inPrompts.warnings,
      ...disagreement(adapters, settings),
      ...uses.flatMap(({ use }) => use.warnings ?? []),
    ],
    textInputs: (component) => Object.assign({}, ...uses.map(({ use }) => use.textInputs?.(component))),
    words: (component) => joinedWords(uses.flatMap(({ use }) => use.words?.(component) ?? [])),
    frames: clip?.frames,
    noisePredictor: (single) => clip?.noisePredictor(single) ?? single,
    async conditions(pass) {
      const conditions: Condition[] = [];
      for (const { use } of uses) if (use.condition !== undefined) conditions.push(await use.condition(pass));
      return conditions;
    },
    async release() {
      await settleAll(adapters.map((adapter) => () => adapter.release?.()));
    },
  };
}

interface NamedUse {
  readonly name: string;
  /** The path of its settings in messages: `adapters.edges`. */
  readonly option: string;
  readonly use: AdapterUse;
}

async function useAdapter(adapter: AttachedAdapter, settings: Readonly<Record<string, unknown>>): Promise<NamedUse> {
  const { name } = adapter;
  const option = `adapters.${name}`;
  // An adapter may be named `constructor`.
  const ownSettings = Object.hasOwn(settings, name) ? settings[name] : adapter.defaults?.strength;
  return { name, option, use: await adapter.use(ownSettings, option) };
}

/** The use of the adapter that makes clips, if there is one. Throws an InvalidOptionError for options that clips do not support. */
function clipOf(uses: readonly NamedUse[], options: SingleImageOptions): ClipUse | undefined {
  const maker = uses.find(({ use }) => use.clip !== undefined);
  if (maker === undefined) return undefined;
  const spatial = uses.find(({ use }) => use.spatial)?.option;
  const refused = spatial ?? (['image', 'latents', 'upscale'] as const).find((name) => options[name] !== undefined);
  if (refused === undefined) return maker.use.clip;
  throw new InvalidOptionError(
    refused,
    `is not supported for clips yet: detach ${describe(maker.name)} to draw single images.`,
  );
}

/** Throws an InvalidOptionError for settings that are not an object, or that name an adapter that is not attached. */
function checkNames(settings: unknown, adapters: readonly AttachedAdapter[]): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new InvalidOptionError('adapters', `must be an object of settings by name, not ${describe(settings)}.`);
  }
  const names = adapters.map(({ name }) => name);
  for (const name of Object.keys(settings)) {
    if (names.includes(name)) continue;
    const advice =
      names.length === 0
        ? `Nothing is attached: attach(file, { name: ${show(name)} }) first.`
        : `There are ${names.join(', ')}.`;
    throw new InvalidOptionError(`adapters.${name}`, `is not attached. ${advice}`);
  }
}

/** All words, those of the last attached adapter where several teach the same one. */
function joinedWords(learned: readonly LearnedWords[]): WordVectors | undefined {
  const byWord = new Map(learned.flatMap(({ words, vectors }) => words.map((word) => [word, vectors] as const)));
  const [first] = byWord.values();
  if (first === undefined) return undefined;
  const counts = new Map([...byWord].map(([word, { dims }]) => [word, dims[0]]));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const all = tensor('float32', [total, first.dims[1]]);
  let offset = 0;
  for (const { data } of byWord.values()) {
    all.data.set(data, offset);
    offset += data.length;
  }
  return { counts, vectors: all };
}
