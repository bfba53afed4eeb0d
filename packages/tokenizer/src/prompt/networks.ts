import { readNumber } from './number.js';
import type { NetworkMention } from './plan.js';

const mention = /<(\w+):([^<>]+)>/g;

/**
 * A prompt without its `<kind:name:weight>`, and what these name. `<lora:name:te:unet>` has a weight for the text encoder
 * and one for the U-Net, `te=` and `unet=` name them; what is not given is 1, or the text encoder's. One whose weight is
 * no number stays in the text.
 *
 * Follows A1111's extra networks (wiki: Features, Extra networks).
 */
export function takeNetworks(text: string): { readonly text: string; readonly networks: readonly NetworkMention[] } {
  const networks: NetworkMention[] = [];
  const rest = text.replace(mention, (whole, kind: string, list: string) => {
    const found = readMention(kind, list.split(':'));
    if (found === undefined) return whole;
    networks.push(found);
    return '';
  });
  return { text: rest, networks };
}

function readMention(kind: string, items: readonly string[]): NetworkMention | undefined {
  const named = new Map<string, string>();
  const listed: string[] = [];
  for (const item of items) {
    const at = item.indexOf('=');
    if (at > 0) named.set(item.slice(0, at).trim(), item.slice(at + 1));
    else listed.push(item);
  }
  const [name = '', text = '1', unet] = listed;
  const textWeight = readNumber(named.get('te') ?? text);
  const unetWeight = readNumber(named.get('unet') ?? unet ?? named.get('te') ?? text);
  if (name === '' || textWeight === undefined || unetWeight === undefined) return undefined;
  return { kind, name, textWeight, unetWeight };
}
