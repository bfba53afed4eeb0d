import {
  type Backend,
  barrier,
  expectFinite,
  expectTensor,
  type ImageEncoder,
  type ImagePreprocessing,
  lazySession,
  row,
  type Source,
  SourceError,
  type Tensor,
} from '@sd/core';
import { type NameTable, openCheckpoint, readConfig } from '@sd/weights';
import { clipVisionGraph } from './clip-vision-graph.js';
import { type ClipVisionConfig, clipVisionConfig } from './config.js';
import { clipPreprocessing, imagePreprocessing } from './preprocessing.js';

export interface LoadImageEncoderOptions {
  readonly source: Source;
  readonly backend: Backend;
  /** The model's folder in the source: `image_encoder` by default. */
  readonly folder?: string;
  /** Path of the preprocessing config: `preprocessor_config.json` in the model's folder by default. */
  readonly preprocessor?: string;
  /** The variant of the weights to prefer, such as `fp16`. */
  readonly variant?: string;
}

/** The stage over a CLIP vision model's checkpoint. */
export interface ClipImageEncoder extends ImageEncoder {
  readonly config: ClipVisionConfig;
  /** Names of tensors in the files that the graph does not use. */
  readonly unusedTensors: readonly string[];
}

/** Removes the prefix `vision_model.`, if there is one, and drops the position ids of older files. */
const names: NameTable = (name) => {
  const bare = name.replace(/^vision_model\./, '');
  return bare === 'embeddings.position_ids' ? undefined : bare;
};

/**
 * Opens a CLIP image encoder in transformers' layout (`config.json`, `model.safetensors`) and writes its graph. Without a
 * preprocessing config, which most image encoders of IP-Adapters lack, CLIP's defaults are used at the model's input size.
 * The session is created at first use, or by `load()`.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadImageEncoder(options: LoadImageEncoderOptions): Promise<ClipImageEncoder> {
  return barrier('loadImageEncoder()', () => load(options));
}

async function load(options: LoadImageEncoderOptions): Promise<ClipImageEncoder> {
  const { source, backend, folder = 'image_encoder', variant } = options;
  await backend.ready?.();
  const config = clipVisionConfig(await readConfig(source, `${folder}/config.json`));
  const preprocessing = await preprocessingIn(options, folder, config);
  const checkpoint = await openCheckpoint(source, folder, { stems: ['model'], variant, names });
  const session = lazySession(backend, clipVisionGraph(checkpoint, config, backend));

  return {
    config,
    preprocessing,
    unusedTensors: checkpoint.unused(),
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async encode(pixels, { signal } = {}) {
      const { channels, imageSize } = config;
      expectTensor('The image encoder’s input', pixels, 'float32', [-1, channels, imageSize, imageSize]);
      const results = await session.run({ pixel_values: pixels }, { signal });
      const embedding = results.image_embeds as Tensor<'float32'>;
      const hidden = results.hidden_states as Tensor<'float32'>;
      expectFinite('The image encoder’s output', embedding.data);
      return Array.from({ length: pixels.dims[0] }, (_, i) => ({
        embedding: row(embedding, i),
        hidden: row(hidden, i),
      }));
    },
  } satisfies ClipImageEncoder;
}

async function preprocessingIn(
  { source, preprocessor }: LoadImageEncoderOptions,
  folder: string,
  config: ClipVisionConfig,
): Promise<ImagePreprocessing> {
  try {
    return imagePreprocessing(await readConfig(source, preprocessor ?? `${folder}/preprocessor_config.json`));
  } catch (error) {
    const isMissing = error instanceof SourceError && error.code === 'not-found';
    if (!isMissing || preprocessor !== undefined) throw error;
    return clipPreprocessing(config.imageSize);
  }
}
