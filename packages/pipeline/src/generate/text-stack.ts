import type { TextStack } from './prompts/index.js';
import type { Run } from './run-context.js';

/** The model's text encoders for one run, with the family's settings for each and what adapters add to it. */
export function textStack({ stages, traits, adapters }: Run): TextStack {
  const { textEncoders, combine, clipSkipForNegative, zeroNegative } = traits.composition;
  return {
    encoders: stages.textEncoders.map(({ tokenizer, textEncoder }, i) => {
      const { name, ...settings } = textEncoders[i];
      return {
        ...settings,
        component: name,
        tokenizer,
        textEncoder,
        conditions: adapters.textInputs(name),
        words: adapters.words(name),
      };
    }),
    combine,
    clipSkipForNegative,
    zeroNegative,
  };
}
