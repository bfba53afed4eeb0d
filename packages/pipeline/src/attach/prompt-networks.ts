import type { Adapter } from '@sd/adapters';
import type { Warning } from '@sd/core';
import type { NetworkMention } from '@sd/tokenizer/prompt';

export interface PromptSettings {
  /** Settings of attached adapters, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly warnings: readonly Warning[];
}

/** The settings of attached adapters that prompts name, as `<lora:style:0.7>` does, and a warning for each that is missing. */
export function settingsInPrompts(networks: readonly NetworkMention[], adapters: readonly Adapter[]): PromptSettings {
  const settings: Record<string, unknown> = {};
  const warnings: Warning[] = [];
  for (const network of networks) {
    const { kind, name } = network;
    const mentioned = adapters.find((adapter) => adapter.name === name)?.settingsFor?.(network);
    if (mentioned !== undefined) settings[name] = mentioned;
    else {
      const message = `The prompt names the ${kind} ${name}, but no such network is attached. It has no effect.`;
      warnings.push({ code: 'network-missing', message });
    }
  }
  return { settings, warnings };
}
