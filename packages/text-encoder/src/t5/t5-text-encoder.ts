import {
  type Backend,
  barrier,
  expectFinite,
  InvalidOptionError,
  lazySession,
  row,
  show,
  type Tensor,
  TensorError,
  type TextEncoder,
  type Tokens,
  tensor,
} from '@sd/core';
import { completeFeeds, type LayerExtension } from '@sd/graph';
import { type Checkpoint, type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { type T5Config, t5Config } from './config.js';
import { t5EncoderNames } from './names.js';
import { t5Graph } from './t5-graph.js';

/** The backend, and the model: its folder (by default `text_encoder_3`), or its weights and config. */
export type LoadT5EncoderOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/** A T5 encoder as a stage, with the names of the unused tensors in its files. */
export interface T5TextEncoder extends TextEncoder {
  readonly config: T5Config;
  readonly unusedTensors: readonly string[];
  /**
   * The same checkpoint with these extensions in place of this stage's: another stage with another session. Throws the error
   * of an extension that does not fit this model.
   */
  withExtensions(extensions: readonly LayerExtension[]): T5TextEncoder;
  /** See `Extendable.checkFiles`. */
  checkFiles(): Promise<void>;
}

/**
 * Opens a T5 encoder in transformers' layout (`config.json`, `model.safetensors`) and writes its graph. The weights are
 * loaded at first use, or by `load()`. It encodes windows of any length, equal within one call, and gives hidden states
 * [tokens, width] without a pooled embedding. Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadT5Encoder(options: LoadT5EncoderOptions): Promise<T5TextEncoder> {
  return barrier('loadT5Encoder()', () => load(options));
}

async function load({ backend, ...from }: LoadT5EncoderOptions): Promise<T5TextEncoder> {
  await backend.ready?.();
  const model = await openModel(from, { folder: 'text_encoder_3', stems: ['model'], names: t5EncoderNames });
  return t5EncoderOf({ backend, checkpoint: model.checkpoint, config: t5Config(model.config) });
}

interface Parts {
  readonly backend: Backend;
  readonly checkpoint: Checkpoint;
  readonly config: T5Config;
}

function t5EncoderOf(parts: Parts, extensions: readonly LayerExtension[] = []): T5TextEncoder {
  const { backend, checkpoint, config } = parts;
  const model = t5Graph(checkpoint, config, { provider: backend.provider, features: backend.features, extensions });
  const session = lazySession(backend, model);

  return {
    config,
    unusedTensors: checkpoint.unused(),
    withExtensions: (others) => t5EncoderOf(parts, others),
    load: session.load,
    checkFiles: session.checkFiles,
    release: session.release,
    dispose: session.dispose,
    async encode(tokens, { clipSkip = 0, output = 'normalized', conditions, signal } = {}) {
      if (clipSkip !== 0) throw new InvalidOptionError('clipSkip', `must be 0 for T5, not ${show(clipSkip)}.`);
      if (output !== 'normalized') {
        throw new InvalidOptionError('output', `must be 'normalized' for T5, not ${show(output)}.`);
      }
      const feeds = completeFeeds(model, { input_ids: batchOfIds(tokens, config), ...conditions });
      const { hidden_states } = await session.run(feeds, { signal });
      const hidden = hidden_states as Tensor<'float32'>;
      expectFinite('The T5 encoder’s output', hidden.data);
      return tokens.map((_, i) => ({ hidden: row(hidden, i) }));
    },
  };
}

function batchOfIds(tokens: readonly Tokens[], { vocabSize }: T5Config): Tensor<'int64'> {
  const length = tokens[0]?.ids.length ?? 0;
  const batch = tensor('int64', [tokens.length, length]);
  tokens.forEach(({ ids }, i) => {
    if (ids.length !== length) {
      throw new TensorError(
        'bad-tensor',
        `The prompts of one call must be equally long, but prompt 0 has ${length} tokens and prompt ${i} has ${ids.length}.`,
      );
    }
    const unknown = ids.find((id) => id < 0 || id >= vocabSize);
    if (unknown !== undefined) {
      throw new TensorError(
        'bad-tensor',
        `The T5 encoder has ${vocabSize} tokens, but prompt ${i} has the token ${unknown}.`,
      );
    }
    batch.data.set(BigInt64Array.from(ids, BigInt), i * length);
  });
  return batch;
}
