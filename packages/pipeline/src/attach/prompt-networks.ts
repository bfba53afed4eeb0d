import type { NetworkMention } from '@sd/tokenizer/prompt';
import type { Warning } from '../events.js';
import type { Adapter } from './adapter.js';
import type { LoraStrengths, StrengthOptions } from './strengths.js';

/** The strengths that prompts give to attached networks, and a warning for each network that is not attached. */
export interface PromptStrengths {
  readonly strengths: StrengthOptions;
  readonly warnings: readonly Warning[];
}

/** The kinds of adapters by what prompts call them. */
const kinds: Readonly<Record<string, Adapter['kind']>> = { lora: 'lora', lyco: 'lora', hypernet: 'hypernetwork' };

/** The strengths of the networks that prompts name. */
export function strengthsInPrompts(networks: readonly NetworkMention[], adapters: readonly Adapter[]): PromptStrengths {
  const loras: Record<string, number | LoraStrengths> = {};
  const hypernetworks: Record<string, number> = {};
  const warnings: Warning[] = [];
  for (const network of networks) {
    const { name, textWeight, unetWeight } = network;
    const kind = attachedKind(network, adapters);
    if (kind === 'lora')
      loras[name] = textWeight === unetWeight ? unetWeight : { unet: unetWeight, textEncoder: textWeight };
    else if (kind === 'hypernetwork') hypernetworks[name] = unetWeight;
    else {
      const message = `The prompt names the ${network.kind} ${name}, but no such network is attached. It has no effect.`;
      warnings.push({ code: 'network-missing', message });
    }
  }
  return { strengths: { loras, hypernetworks }, warnings };
}

function attachedKind({ kind, name }: NetworkMention, adapters: readonly Adapter[]): Adapter['kind'] | undefined {
  const wanted = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  return adapters.find((adapter) => adapter.name === name && adapter.kind === wanted)?.kind;
}

/** Adds the strengths in prompts to options; a strength in the options takes precedence. */
export function withStrengths<T extends StrengthOptions>(options: T, { loras, hypernetworks }: StrengthOptions): T {
  return {
    ...options,
    ...(loras && { loras: { ...loras, ...options.loras } }),
    ...(hypernetworks && { hypernetworks: { ...hypernetworks, ...options.hypernetworks } }),
  };
}
