import { openFolder } from '@sd/backend-node';
import { type Tokens, tensor } from '@sd/core';
import { openLora } from '@sd/graph/adapters';
import { expect, test } from 'vitest';
import { fixture, readGolden, relativeError } from '../../../fixtures/golden.js';
import { encoderIn, tokens } from './encoder.js';

const files = {
  peft: ['lora-peft', 'pytorch_lora_weights.safetensors'],
  kohya: ['lora-kohya', 'style.safetensors'],
} as const;

/** 'pixel art', as the fixture's tokenizer reads it. */
const pixelArt: Tokens = { ids: new Int32Array(77).fill(1195), length: 4, truncated: '' };
pixelArt.ids.set([1194, 652, 626]);

test.each([
  ['lora-peft', { peft: 0.7 }],
  ['lora-kohya', { kohya: 0.7 }],
  ['lora-both', { peft: 0.7, kohya: 0.5 }],
] as const)('%s: the numbers of diffusers', async (folder, strengths) => {
  const loras = await Promise.all(
    Object.keys(strengths).map(async (name) => {
      const [folder, file] = files[name as keyof typeof files];
      return openLora(await openFolder(fixture(`adapters/${folder}`)), file, { name });
    }),
  );
  const golden = readGolden('golden.safetensors', fixture(`adapters/${folder}`));
  const plain = await encoderIn(fixture('models/sd1'));
  const encoder = plain.extended(loras.map((lora) => lora.textEncoder!));
  const conditions = Object.fromEntries(
    Object.entries(strengths).map(([name, value]) => [
      `strength.${name}`,
      tensor('float32', [1], Float32Array.of(value)),
    ]),
  );
  for (const lora of loras) lora.check();
  const [prompt, negative] = await encoder.encode([tokens[0], pixelArt], { conditions });
  await encoder.dispose?.();
  expect(relativeError(prompt.hidden.data, golden('text.prompt').data)).toBeLessThan(1e-5);
  expect(relativeError(negative.hidden.data, golden('text.negative').data)).toBeLessThan(1e-5);
});
