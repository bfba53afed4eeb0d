import { tensor } from '@sd/core';
import { createImage } from '@sd/image';
import { expect, test } from 'vitest';
import { blocks } from '../src/terminal/blocks.js';
import { protocolFor, showImage } from '../src/terminal/protocols.js';

const red = createImage(
  tensor(
    'float32',
    [3, 4, 4],
    Float32Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : -1)),
  ),
);

test('half blocks show two rows of pixels a line', () => {
  const lines = blocks(red);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toBe(`${'\x1b[38;2;255;0;0;48;2;255;0;0m▀'.repeat(4)}\x1b[0m`);
  expect(blocks(red, 2)).toHaveLength(1);
});

test('kitty’s protocol and iTerm2’s carry the PNG file', async () => {
  const png = Buffer.from(await red.toPng()).toString('base64');
  expect(await showImage(red, 'kitty', 80)).toBe(`\x1b_Ga=T,f=100,m=0;${png}\x1b\\`);
  expect(await showImage(red, 'iterm2', 80)).toBe(
    `\x1b]1337;File=inline=1;size=${(png.length / 4) * 3 - (png.match(/=*$/)?.[0].length ?? 0)}:${png}\x07`,
  );
});

test('the terminal decides, unless the user does; pipes get no images', () => {
  const terminal = { write: () => undefined, isTTY: true };
  expect(protocolFor('auto', terminal, { TERM: 'xterm-kitty' })).toBe('kitty');
  expect(protocolFor('auto', terminal, { TERM_PROGRAM: 'iTerm.app' })).toBe('iterm2');
  expect(protocolFor('auto', terminal, {})).toBe('blocks');
  expect(protocolFor('auto', { write: () => undefined }, { TERM: 'xterm-kitty' })).toBeUndefined();
  expect(protocolFor('none', terminal, { TERM: 'xterm-kitty' })).toBeUndefined();
  expect(protocolFor('blocks', terminal, { TERM: 'xterm-kitty' })).toBe('blocks');
});
