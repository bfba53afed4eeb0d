import type { Adapter, AdapterSettings } from '@sd/adapters';
import type { PromptSyntax } from '@sd/tokenizer/prompt';
import type { Warning } from '../events.js';
import type { Request } from '../options.js';
import type { AdapterOptions } from './run-adapters.js';

export interface Mentioned {
  /** Settings of adapters by their names. */
  readonly settings: Readonly<Record<string, AdapterSettings>>;
  readonly warnings: readonly Warning[];
}

/** What a prompt that names networks contains, by syntax: A1111's `<lora:style:0.7>`, compel's `withLora(style, 0.7)`. */
const marks: Partial<Record<PromptSyntax, string>> = { a1111: '<', compel: 'Lora' };

/** The settings that prompts give attached adapters by naming them. */
export async function mentionedSettings(
  { syntax, prompts }: Request,
  adapters: readonly Adapter[],
): Promise<Mentioned> {
  const mark = marks[syntax];
  if (mark === undefined || !prompts.some(({ text }) => text.includes(mark))) return { settings: {}, warnings: [] };
  const { settingsInPrompts } = await import('../text/networks.js');
  return settingsInPrompts(syntax, prompts, adapters);
}

/** Options with the settings that prompts mention; for an adapter that the options name, theirs count. */
export function withMentioned<Options extends AdapterOptions>(options: Options, { settings }: Mentioned): Options {
  if (Object.keys(settings).length === 0) return options;
  return { ...options, adapters: { ...settings, ...options.adapters } };
}
