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
  type TextEmbedding,
  type TextEncoder,
  type Tokens,
  tensor,
} from '@sd/core';
import { completeFeeds, type LayerExtension } from '@sd/graph';
import { type Checkpoint, type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { clipTextGraph } from './clip-text-graph.js';
import { type ClipTextConfig, clipTextConfig } from './config.js';
import { clipTextNames } from './names/transformers.js';

/** The backend, and the model: a folder (`text_encoder` by default), or its weights and config. */
export type LoadTextEncoderOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/** The stage over a CLIP text model's checkpoint. */
export interface ClipTextEncoder extends TextEncoder {
  readonly config: ClipTextConfig;
  /** Names of tensors in the files that the graph does not use. */
  readonly unusedTensors: readonly string[];
  /**
   * Another stage over the same checkpoint, with these extensions instead of this one's, and a separate session. Throws the
   * error of an extension that does not fit the model.
   */
  withExtensions(extensions: readonly LayerExtension[]): ClipTextEncoder;
  /** See `Extendable.checkFiles`. */
  checkFiles(): Promise<void>;
}

/**
 * Opens a CLIP text encoder in transformers' layout (`config.json`, `model.safetensors`) and writes its graph. The session
 * is created at first use, or by `load()`. Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadTextEncoder(options: LoadTextEncoderOptions): Promise<ClipTextEncoder> {
  return barrier('loadTextEncoder()', () => load(options));
}

async function load({ backend, ...from }: LoadTextEncoderOptions): Promise<ClipTextEncoder> {
  await backend.ready?.();
  const model = await openModel(from, { folder: 'text_encoder', stems: ['model'], names: clipTextNames });
  return textEncoderOf({ backend, checkpoint: model.checkpoint, config: clipTextConfig(model.config) });
}

interface Parts {
  readonly backend: Backend;
  readonly checkpoint: Checkpoint;
  readonly config: ClipTextConfig;
}

function textEncoderOf(parts: Parts, extensions: readonly LayerExtension[] = []): ClipTextEncoder {
  const { backend, checkpoint, config } = parts;
  const model = clipTextGraph(checkpoint, config, {
    provider: backend.provider,
    features: backend.features,
    extensions,
  });
  const session = lazySession(backend, model);

  return {
    config,
    unusedTensors: checkpoint.unused(),
    withExtensions: (replacements) => textEncoderOf(parts, replacements),
    load: session.load,
    checkFiles: session.checkFiles,
    release: session.release,
    dispose: session.dispose,
    async encode(tokens, { clipSkip = 0, output = 'normalized', conditions, signal } = {}) {
      if (!Number.isInteger(clipSkip) || clipSkip < 0 || clipSkip >= config.layers) {
        throw new InvalidOptionError(
          'clipSkip',
          `must be a whole number from 0 to ${config.layers - 1}, not ${show(clipSkip)}.`,
        );
      }
      const layers = config.layers - clipSkip;
      const states = output === 'penultimate' ? `hidden_states.${layers - 1}` : `normalized.${layers}`;
      const last = config.projectionWidth === undefined ? `normalized.${config.layers}` : 'projected';
      const input_ids = batchOfIds(tokens, config, conditions?.token_vectors?.dims[0]);
      const feeds = completeFeeds(model, { input_ids, ...conditions });
      const results = await session.run(feeds, { signal, outputs: [...new Set([states, last])] });
      const hidden = results[states] as Tensor<'float32'>;
      expectFinite('The text encoder’s output', hidden.data);
      return tokens.map(({ ids }, i) => ({
        hidden: row(hidden, i),
        pooled: pooled(results[last] as Tensor<'float32'>, i, ids, config),
      }));
    },
  };
}

function batchOfIds(tokens: readonly Tokens[], { maxLength, vocabSize }: ClipTextConfig, learned = 0): Tensor<'int64'> {
  const batch = tensor('int64', [tokens.length, maxLength]);
  tokens.forEach(({ ids }, i) => {
    if (ids.length !== maxLength) {
      throw new TensorError(
        'bad-tensor',
        `The text encoder takes ${maxLength} tokens per prompt, but prompt ${i} has ${ids.length}.`,
      );
    }
    const unknown = ids.find((id) => id < 0 || id >= vocabSize + learned);
    if (unknown !== undefined) {
      throw new TensorError(
        'bad-tensor',
        `The text encoder has ${vocabSize} tokens and was given ${learned} token_vectors, but prompt ${i} has the token ${unknown}.`,
      );
    }
    batch.data.set(BigInt64Array.from(ids, BigInt), i * maxLength);
  });
  return batch;
}

/**
 * The hidden state, or its projection, at the first end token. Old configs have 2 as its id; then, as in transformers, the
 * end token is the largest id.
 */
function pooled(
  hidden: Tensor<'float32'>,
  i: number,
  ids: Int32Array,
  config: ClipTextConfig,
): TextEmbedding['pooled'] {
  const end =
    config.endId === 2 ? ids.indexOf(ids.reduce((a, b) => Math.max(a, b))) : Math.max(0, ids.indexOf(config.endId));
  return row(row(hidden, i), end);
}
