import type { PromptSyntax } from '@sd/tokenizer/prompt';
import type { Warning } from '../events.js';
import type { Request } from '../options.js';
import type { Adapter } from './adapter.js';
import type { StrengthOptions } from './strengths.js';

export interface Mentioned {
  readonly strengths: StrengthOptions;
  readonly warnings: readonly Warning[];
}

/** How a prompt that names networks looks, by syntax: A1111's `<lora:style:0.7>`, compel's `withLora(style, 0.7)`. */
const marks: Partial<Record<PromptSyntax, string>> = { a1111: '<', compel: 'Lora' };

/** What prompts say of attached networks. */
export async function mentionedStrengths(
  { syntax, prompts }: Request,
  adapters: readonly Adapter[],
): Promise<Mentioned> {
  const mark = marks[syntax];
  if (mark === undefined || !prompts.some(({ text }) => text.includes(mark))) return { strengths: {}, warnings: [] };
  const { strengthsInPrompts } = await import('../text/networks.js');
  return strengthsInPrompts(syntax, prompts, adapters);
}

/** Options with strengths that prompts mention; what the options say themselves counts more. */
export function withStrengths<T extends StrengthOptions>(options: T, mentioned: StrengthOptions): T {
  const { loras, hypernetworks } = mentioned;
  return {
    ...options,
    ...(loras && { loras: { ...loras, ...options.loras } }),
    ...(hypernetworks && { hypernetworks: { ...hypernetworks, ...options.hypernetworks } }),
  };
}
