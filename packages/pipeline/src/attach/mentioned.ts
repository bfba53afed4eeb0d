import type { Warning } from '../events.js';
import type { Request } from '../options.js';
import type { Adapter } from './adapter.js';
import type { StrengthOptions } from './strengths.js';

export interface Mentioned {
  readonly strengths: StrengthOptions;
  readonly warnings: readonly Warning[];
}

/** What prompts in A1111's syntax say of attached networks: `<lora:style:0.7>`. */
export async function mentionedStrengths(
  { syntax, prompts }: Request,
  adapters: readonly Adapter[],
): Promise<Mentioned> {
  if (syntax !== 'a1111' || !prompts.some(({ text }) => text.includes('<'))) return { strengths: {}, warnings: [] };
  const { strengthsInPrompts } = await import('../text/networks.js');
  return strengthsInPrompts(prompts, adapters);
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
