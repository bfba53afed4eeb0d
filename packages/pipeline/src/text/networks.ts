import type { Adapter, AdapterSettings } from '@sd/adapters';
import { type PromptSyntax, parsePrompt } from '@sd/tokenizer/prompt';
import type { Mentioned } from '../attach/mentioned.js';
import type { Warning } from '../events.js';

/** The settings of attached adapters that prompts name, and a warning for each network that is not attached. */
export function settingsInPrompts(
  syntax: PromptSyntax,
  prompts: readonly { readonly text: string }[],
  adapters: readonly Adapter[],
): Mentioned {
  const settings: Record<string, AdapterSettings> = {};
  const warnings: Warning[] = [];
  for (const network of prompts.flatMap(({ text }) => parsePrompt(text, { syntax }).networks)) {
    const own = adapters.find(({ name }) => name === network.name)?.settingsFor?.(network);
    if (own !== undefined) {
      settings[network.name] = own as AdapterSettings;
      continue;
    }
    const message = `The prompt names the ${network.kind} ${network.name}, but no such network is attached. It has no effect.`;
    warnings.push({ code: 'network-missing', message });
  }
  return { settings, warnings };
}
