import { AbortError, type TextEncoder, type Tokens, tensor } from '@sd/core';
import { type ConformanceCase, conforms, rejection, withStage } from '@sd/core/testing';

export interface TextEncoderSuiteOptions {
  create(): Promise<TextEncoder> | TextEncoder;
  /** Tokens of two different prompts. */
  readonly tokens: readonly [Tokens, Tokens];
}

/** What every text encoder stage must do, as cases for any test runner. */
export function textEncoderSuite({ create, tokens }: TextEncoderSuiteOptions): ConformanceCase[] {
  const withEncoder = (run: (encoder: TextEncoder) => Promise<void>) => withStage(create, run);
  return [
    {
      name: 'gives one embedding a prompt, a vector a token',
      run: () =>
        withEncoder(async (encoder) => {
          const embeddings = await encoder.encode(tokens);
          conforms(embeddings.length === 2, `Two prompts must give two embeddings, not ${embeddings.length}.`);
          for (const { hidden, pooled } of embeddings) {
            conforms(hidden.dims.length === 2, `hidden must be [tokens, width], not [${hidden.dims}].`);
            conforms(hidden.data.every(Number.isFinite), 'hidden must be finite.');
            conforms(
              pooled === undefined || pooled.dims.length === 1,
              `pooled must be [width], not [${pooled?.dims}].`,
            );
          }
          conforms(
            String(embeddings[0].hidden.dims) === String(embeddings[1].hidden.dims),
            'All prompts must give one shape.',
          );
        }),
    },
    {
      name: 'tells prompts apart',
      run: () =>
        withEncoder(async (encoder) => {
          const [one, two] = await encoder.encode(tokens);
          conforms(
            one.hidden.data.some((value, i) => value !== two.hidden.data[i]),
            'Different prompts must differ.',
          );
        }),
    },
    {
      name: 'reads a prompt alone as in company',
      run: () =>
        withEncoder(async (encoder) => {
          const [, company] = await encoder.encode(tokens);
          const [alone] = await encoder.encode([tokens[1]]);
          const largest = Math.max(...alone.hidden.data.map(Math.abs));
          const same = alone.hidden.data.every(
            (value, i) => Math.abs(value - company.hidden.data[i]) <= 1e-4 * largest,
          );
          conforms(same, 'A prompt must not depend on the others of its batch.');
        }),
    },
    {
      name: 'rejects with an AbortError when aborted, and works afterwards',
      run: () =>
        withEncoder(async (encoder) => {
          const error = await rejection('An aborted run', () =>
            encoder.encode(tokens, { signal: AbortSignal.abort() }),
          );
          conforms((error as Error).name === new AbortError().name, `The error must be an AbortError, not ${error}.`);
          await encoder.encode(tokens);
        }),
    },
  ];
}

/** A text encoder without a model: each token's vector holds the token's number, scaled by place. */
export function mockTextEncoder({ width = 8 }: { width?: number } = {}): TextEncoder {
  return {
    async encode(prompts, { signal } = {}) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      return prompts.map(({ ids }) => {
        const hidden = tensor('float32', [ids.length, width]);
        hidden.data.forEach((_, i) => {
          hidden.data[i] = Math.sin(ids[Math.floor(i / width)] * ((i % width) + 1));
        });
        return { hidden };
      });
    },
  };
}
