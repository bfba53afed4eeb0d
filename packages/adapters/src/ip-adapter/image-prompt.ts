import { stack, tensor } from '@sd/core';
import type { Condition, ModelCall } from '@sd/guidance';
import type { ImagePrompt } from './ip-adapter.js';

/**
 * An IP-Adapter's images as a condition of a U-Net, for `createDenoiser({ conditions })`; the negative prompt gets none.
 * @param name The adapter's.
 * @param strength How strongly: 0 is not at all, 1 as it was trained. A function is asked at each call of the model.
 */
export function imagePromptCondition(
  name: string,
  { positive, negative }: ImagePrompt,
  strength: number | ((call: ModelCall) => number) = 1,
): Condition {
  return (call) => ({
    [`image_tokens.${name}`]: stack(call.texts.map((text) => (text === call.negative ? negative : positive))),
    [`strength.${name}`]: tensor(
      'float32',
      [1],
      Float32Array.of(typeof strength === 'function' ? strength(call) : strength),
    ),
  });
}
