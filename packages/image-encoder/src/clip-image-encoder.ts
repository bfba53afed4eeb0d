import {
  type Backend,
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
  /** The model's folder in the source: `image_encoder`. */
  readonly folder?: string;
  /** The file that says how pictures are made ready: `preprocessor_config.json` in the model's folder. */
  readonly preprocessor?: string;
  /** The variant of the weights to prefer: `fp16`. */
  readonly variant?: string;
}

/** A CLIP vision model as a stage, and the names of the tensors in its files that it has no use for. */
export interface ClipImageEncoder extends ImageEncoder {
  readonly config: ClipVisionConfig;
  readonly unusedTensors: readonly string[];
}

/** Names with and without the prefix `vision_model.`; the position numbers of older files are dropped. */
const names: NameTable = (name) => {
  const bare = name.replace(/^vision_model\./, '');
  return bare === 'embeddings.position_ids' ? undefined : bare;
};

/**
 * Opens a CLIP image encoder in transformers' layout (`config.json`, `model.safetensors`) and writes its graph. Where no
 * file says how pictures are made ready, as beside most image encoders of IP-Adapters, CLIP's own way counts, at the
 * model's size. Nothing is loaded yet: that happens at first use, or by `load()`.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function loadImageEncoder(options: LoadImageEncoderOptions): Promise<ClipImageEncoder> {
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
      expectTensor('The image encoder’s picture', pixels, 'float32', [-1, channels, imageSize, imageSize]);
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
    const missing = error instanceof SourceError && error.code === 'not-found';
    if (!missing || preprocessor !== undefined) throw error;
    return clipPreprocessing(config.imageSize);
  }
}
