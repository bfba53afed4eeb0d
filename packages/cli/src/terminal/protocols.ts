import type { SdImage } from '@sd/image';
import type { Output } from '../context.js';
import { blocks } from './blocks.js';

/** Ways to show an image in a terminal. */
export const protocols = ['kitty', 'iterm2', 'blocks'] as const;
export type Protocol = (typeof protocols)[number];

/** The protocol to use: undefined if images are not shown, as in a file or pipe. */
export function protocolFor(show: string, output: Output, env = process.env): Protocol | undefined {
  if (show !== 'auto') return protocols.find((protocol) => protocol === show);
  if (output.isTTY !== true) return undefined;
  if (env.KITTY_WINDOW_ID !== undefined || env.TERM === 'xterm-kitty' || env.TERM_PROGRAM === 'ghostty') return 'kitty';
  if (env.TERM_PROGRAM === 'iTerm.app' || env.TERM_PROGRAM === 'WezTerm') return 'iterm2';
  return 'blocks';
}

/** The text that shows an image. */
export async function showImage(image: SdImage, protocol: Protocol, columns: number | undefined): Promise<string> {
  if (protocol === 'blocks') return blocks(image, columns).join('\n');
  const png = await image.toPng();
  const base64 = Buffer.from(png).toString('base64');
  return protocol === 'kitty' ? kitty(base64) : `\x1b]1337;File=inline=1;size=${png.length}:${base64}\x07`;
}

/** The longest chunk that the protocol allows, in base64 characters. */
const chunkLength = 4096;

/** @see https://sw.kovidgoyal.net/kitty/graphics-protocol/ */
function kitty(base64: string): string {
  const chunks = base64.match(new RegExp(`.{1,${chunkLength}}`, 'g')) ?? [];
  const controls = (i: number) => `${i === 0 ? 'a=T,f=100,' : ''}m=${i < chunks.length - 1 ? 1 : 0}`;
  return chunks.map((chunk, i) => `\x1b_G${controls(i)};${chunk}\x1b\\`).join('');
}
