import { type NetworkMention, type PromptSyntax, parsePrompt } from '@sd/tokenizer/prompt';
import type { Adapter } from '../attach/adapter.js';
import type { Mentioned } from '../attach/mentioned.js';
import type { LoraStrengths } from '../attach/strengths.js';
import type { Warning } from '../events.js';

/** What prompts call their networks. */
const kinds: Readonly<Record<string, Adapter['kind']>> = { lora: 'lora', lyco: 'lora', hypernet: 'hypernetwork' };

/** The strengths of attached networks that prompts mention, and a warning for each that is not attached. */
export function strengthsInPrompts(
  syntax: PromptSyntax,
  prompts: readonly { readonly text: string }[],
  adapters: readonly Adapter[],
): Mentioned {
  const loras: Record<string, number | LoraStrengths> = {};
  const hypernetworks: Record<string, number> = {};
  const warnings: Warning[] = [];
  for (const network of prompts.flatMap(({ text }) => parsePrompt(text, { syntax }).networks)) {
    const { name, textWeight, unetWeight } = network;
    const kind = attachedKind(network, adapters);
    if (kind === 'lora')
      loras[name] = textWeight === unetWeight ? unetWeight : { unet: unetWeight, textEncoder: textWeight };
    else if (kind === 'hypernetwork') hypernetworks[name] = unetWeight;
    else {
      const message = `The prompt names the ${network.kind} ${name}, but no such network is attached. It has no part.`;
      warnings.push({ code: 'network-missing', message });
    }
  }
  return { strengths: { loras, hypernetworks }, warnings };
}

function attachedKind({ kind, name }: NetworkMention, adapters: readonly Adapter[]): Adapter['kind'] | undefined {
  const wanted = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  return adapters.find((adapter) => adapter.name === name && adapter.kind === wanted)?.kind;
}
