import { AbortError, type TextEncoder, type Tokens, tensor } from '@sd/core';
import { type ConformanceCase, conforms, rejection, withStage } from '@sd/core/testing';

export interface TextEncoderSuiteOptions {
  create(): Promise<TextEncoder> | TextEncoder;
  /** Tokens of two different prompts. */
  readonly tokens: readonly [Tokens, Tokens];
}

/** The requirements for every text encoder stage, as cases for any test runner. */
export function textEncoderSuite({ create, tokens }: TextEncoderSuiteOptions): ConformanceCase[] {
  const withEncoder = (run: (encoder: TextEncoder) => Promise<void>) => withStage(create, run);
  return [
    {
      name: 'gives one embedding per prompt, with one vector per token',
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
            'All embeddings must have the same shape.',
          );
        }),
    },
    {
      name: 'distinguishes prompts',
      run: () =>
        withEncoder(async (encoder) => {
          const [first, second] = await encoder.encode(tokens);
          conforms(
            first.hidden.data.some((value, i) => value !== second.hidden.data[i]),
            'Different prompts must have different embeddings.',
          );
        }),
    },
    {
      name: 'encodes a prompt independently of its batch',
      run: () =>
        withEncoder(async (encoder) => {
          const [, batched] = await encoder.encode(tokens);
          const [alone] = await encoder.encode([tokens[1]]);
          const largest = Math.max(...alone.hidden.data.map(Math.abs));
          const same = alone.hidden.data.every(
            (value, i) => Math.abs(value - batched.hidden.data[i]) <= 1e-4 * largest,
          );
          conforms(same, 'A prompt must not depend on the others in its batch.');
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

/** A text encoder without a model: each token's vector holds sinusoids of the token's id. */
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
