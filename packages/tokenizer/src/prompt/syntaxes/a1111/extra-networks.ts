import type { NetworkMention } from '../../prompt-plan.js';
import { readNumber } from '../number.js';

const mention = /<(\w+):([^<>]+)>/g;

/**
 * Takes `<kind:name:weight>` out of a prompt. `<lora:name:te:unet>` has one weight for the text encoder and one for the
 * U-Net, which may also be written `te=` and `unet=`. The text encoder's is 1 by default, the U-Net's that of the text
 * encoder. A mention with a weight that is not a number stays in the text.
 *
 * Follows A1111's extra networks (wiki: Features, Extra networks).
 */
export function takeNetworks(prompt: string): { readonly text: string; readonly networks: readonly NetworkMention[] } {
  const networks: NetworkMention[] = [];
  const text = prompt.replace(mention, (whole, kind: string, list: string) => {
    const network = readMention(kind, list.split(':'));
    if (network === undefined) return whole;
    networks.push(network);
    return '';
  });
  return { text, networks };
}

function readMention(kind: string, items: readonly string[]): NetworkMention | undefined {
  const named = new Map<string, string>();
  const listed: string[] = [];
  for (const item of items) {
    const sign = item.indexOf('=');
    if (sign > 0) named.set(item.slice(0, sign).trim(), item.slice(sign + 1));
    else listed.push(item);
  }
  const [name = '', text = '1', unet] = listed;
  const textWeight = readNumber(named.get('te') ?? text);
  const unetWeight = readNumber(named.get('unet') ?? unet ?? named.get('te') ?? text);
  if (name === '' || textWeight === undefined || unetWeight === undefined) return undefined;
  return { kind, name, textWeight, unetWeight };
}
