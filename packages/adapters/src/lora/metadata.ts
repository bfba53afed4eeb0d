import { CheckpointError, UnsupportedError } from '@sd/core';
import { describe } from '@sd/core/options';
import { type Config, hasFile, readConfig, type WeightsFile } from '@sd/weights';
import type { LoraModule } from './modules.js';
import { matchesPattern } from './patterns.js';

/** The settings of a module in PEFT's config. */
export interface ModuleSettings {
  readonly alpha?: number;
  /** The rank, which cannot be read from a factor of full rank. */
  readonly rank?: number;
  /** Divides alpha by the rank's root, arXiv 2312.03732. */
  readonly rankStabilized: boolean;
}

export type SettingsOf = (module: LoraModule) => ModuleSettings;

/** The `adapter_config.json` that PEFT saves next to its weights; undefined for a file that PEFT did not save. */
export async function readPeftConfig({ source, path, tensors }: WeightsFile): Promise<Config | undefined> {
  const [, folder, name] = /^(.*[/\\])?([^/\\]*)$/.exec(path) as unknown as [string, string | undefined, string];
  const isPeft =
    name.startsWith('adapter_model.') || [...tensors.keys()].some((key) => key.startsWith('base_model.model.'));
  const config = `${folder ?? ''}adapter_config.json`;
  return isPeft && (await hasFile(source, config)) ? readConfig(source, config) : undefined;
}

/**
 * The settings of each module: from PEFT's config next to the file, or else from the configs that diffusers keeps in the
 * file's metadata, `lora_adapter_metadata`, one for each component. Other metadata is ignored.
 *
 * Throws a CheckpointError for an invalid value in the config, and an UnsupportedError for an unsupported pattern.
 */
export function readSettings(metadata: Readonly<Record<string, string>>, config: Config | undefined): SettingsOf {
  if (config !== undefined) return settingsIn(config);
  const saved = parsed(metadata.lora_adapter_metadata);
  return ({ component, path }) => {
    const read = (key: string): unknown => saved[`${component}.${key}`];
    return settingsFrom(read, path, finite);
  };
}

function settingsIn(config: Config): SettingsOf {
  const number = (value: unknown, key: string) => {
    if (value === undefined || finite(value) !== undefined) return value as number | undefined;
    throw new CheckpointError('bad-config', config.file, `${key} is ${describe(value)}, not a number.`);
  };
  const read = (key: string) => config.get(key);
  for (const key of ['alpha_pattern', 'rank_pattern']) expectPatterns(config, key);
  return ({ path }) => settingsFrom(read, path, number);
}

type ReadNumber = (value: unknown, key: string) => number | undefined;

const finite = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

function settingsFrom(read: (key: string) => unknown, path: string, number: ReadNumber): ModuleSettings {
  const [alpha, rank] = [
    ['alpha_pattern', 'lora_alpha', 'alpha'],
    ['rank_pattern', 'r'],
  ].map(([patterns, ...keys]) => {
    const match = entriesOf(read(patterns)).find(([pattern]) => matchesPattern(path, pattern));
    if (match !== undefined) return number(match[1], `${patterns}.${match[0]}`);
    const [key] = keys.filter((name) => read(name) !== undefined);
    return key === undefined ? undefined : number(read(key), key);
  });
  return {
    ...(alpha !== undefined && { alpha }),
    ...(rank !== undefined && { rank }),
    rankStabilized: read('use_rslora') === true,
  };
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** Throws an UnsupportedError for unsupported patterns: the modules that they match would silently get a wrong alpha. */
function expectPatterns(config: Config, key: string): void {
  for (const [pattern] of entriesOf(config.get(key))) {
    if (matchesPattern('', pattern) !== undefined) continue;
    throw new UnsupportedError(
      `${config.file}: ${key} has the pattern ${describe(pattern)}. Patterns may have ., \\., \\d, \\w, *, + and ?: write one for each alternative.`,
    );
  }
}

function parsed(json: string | undefined): Readonly<Record<string, unknown>> {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
