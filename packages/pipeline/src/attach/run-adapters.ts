import type { Adapter, AdapterPass, AdapterSettings, AdapterUse, ClipUse, LearnedWords } from '@sd/adapters';
import { type Conditions, InvalidOptionError, type Tensor, tensor, type Warning } from '@sd/core';
import { describe } from '@sd/core/options';
import type { Condition } from '@sd/guidance';

/** The option of a run that is for attached adapters. */
export interface AdapterOptions {
  /**
   * Settings of attached adapters by their names: a strength for a LoRA, an image for a ControlNet, and so on as their kinds
   * take them.
   */
  readonly adapters?: Readonly<Record<string, AdapterSettings | undefined>>;
}

/** Words that text encoders learned later, for one text encoder. */
export interface WordVectors {
  /** The number of vectors of each word. */
  readonly counts: Readonly<Record<string, number>>;
  /** All of them, one after the other: [sum of counts, width]. */
  readonly vectors: Tensor<'float32'>;
}

/** Attached adapters in one run. */
export interface RunAdapters {
  readonly warnings: readonly Warning[];
  /** Inputs of a text encoder. */
  textInputs(component: string): Conditions;
  /** Words that a text encoder was taught; undefined if there are none. */
  words(component: string): WordVectors | undefined;
  /** Undefined where single images are drawn. */
  readonly clip: ClipUse | undefined;
  /** Conditions of the noise predictor in one pass. */
  conditions(pass: AdapterPass): Promise<Condition[]>;
  /** Frees what adapters hold between runs. */
  release(): Promise<void>;
}

/** Options that clips have no use for yet. */
interface SingleImageOptions {
  readonly image?: unknown;
  readonly latents?: unknown;
  readonly upscale?: unknown;
}

/** Reads a run's settings of attached adapters. Rejects with an InvalidOptionError. */
export async function readAdapters(
  options: AdapterOptions & SingleImageOptions,
  adapters: readonly Adapter[],
): Promise<RunAdapters> {
  const { adapters: settings = {} } = options;
  checkNames(settings, adapters);
  const uses: { readonly option: string; readonly name: string; readonly use: AdapterUse }[] = [];
  for (const adapter of adapters) {
    const { name } = adapter;
    const option = `adapters.${name}`;
    // An adapter may be called `constructor`.
    uses.push({
      option,
      name,
      use: await adapter.use(Object.hasOwn(settings, name) ? settings[name] : undefined, option),
    });
  }
  const clip = uses.find(({ use }) => use.clip !== undefined);
  if (clip !== undefined) {
    const spatial = uses.find(({ use }) => use.spatial)?.option;
    const single = (['image', 'latents', 'upscale'] as const).find((name) => options[name] !== undefined);
    const refused = spatial ?? single;
    if (refused !== undefined) {
      throw new InvalidOptionError(
        refused,
        `does not go with clips yet: detach ${describe(clip.name)} to draw single images.`,
      );
    }
  }
  return {
    warnings: uses.flatMap(({ use }) => use.warnings ?? []),
    textInputs: (component) => Object.assign({}, ...uses.map(({ use }) => use.textInputs?.(component))),
    words: (component) => joinedWords(uses.flatMap(({ use }) => use.words?.(component) ?? [])),
    clip: clip?.use.clip,
    async conditions(pass) {
      const conditions: Condition[] = [];
      for (const { use } of uses) if (use.condition !== undefined) conditions.push(await use.condition(pass));
      return conditions;
    },
    async release() {
      await Promise.all(adapters.map((adapter) => adapter.release?.()));
    },
  };
}

/** Throws an InvalidOptionError for settings that are not an object, or that name no attached adapter. */
function checkNames(settings: unknown, adapters: readonly Adapter[]): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw new InvalidOptionError('adapters', `must be an object of settings by name, not ${describe(settings)}.`);
  }
  const names = adapters.map(({ name }) => name);
  for (const name of Object.keys(settings)) {
    if (names.includes(name)) continue;
    const advice =
      names.length === 0
        ? `Nothing is attached: attach(file, { name: ${JSON.stringify(name)} }) first.`
        : `There are ${names.join(', ')}.`;
    throw new InvalidOptionError(`adapters.${name}`, `is not attached. ${advice}`);
  }
}

function joinedWords(learned: readonly LearnedWords[]): WordVectors | undefined {
  const entries = learned.flatMap(({ words, vectors }) => words.map((word) => ({ word, vectors })));
  if (entries.length === 0) return undefined;
  const [{ vectors: first }] = entries;
  const total = entries.reduce((sum, { vectors }) => sum + vectors.dims[0], 0);
  const all = tensor('float32', [total, first.dims[1]]);
  let offset = 0;
  for (const { vectors } of entries) {
    all.data.set(vectors.data, offset);
    offset += vectors.data.length;
  }
  return { counts: Object.fromEntries(entries.map(({ word, vectors }) => [word, vectors.dims[0]])), vectors: all };
}
