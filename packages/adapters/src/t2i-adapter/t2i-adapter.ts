import {
  type Backend,
  barrier,
  expectTensor,
  lazySession,
  type StageResources,
  type Tensor,
  TensorError,
  tensor,
} from '@sd/core';
import { type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { expectSupportedAdapter } from '../unsupported-files.js';
import { type T2iAdapterConfig, t2iAdapterConfig } from './config.js';
import { t2iAdapterGraph } from './graph.js';
import { originalNames } from './names.js';

/** Reads an image, such as a sketch or a depth map, as feature maps for a U-Net's down path. */
export interface T2iAdapter extends StageResources {
  readonly config: T2iAdapterConfig;
  readonly unusedTensors: readonly string[];
  /** An image [n, imageChannels, h, w], 0 to 1, to one feature map a stage. Sides must be multiples of `config.factor`. */
  features(image: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>[]>;
}

export type LoadT2iAdapterOptions = (ModelFolder | ModelParts) & { readonly backend: Backend };

/**
 * Opens a T2I-Adapter in diffusers' layout, or with the original names of its tensors. Nothing is loaded yet: that happens
 * at first use, or by `load()`. Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadT2iAdapter(options: LoadT2iAdapterOptions): Promise<T2iAdapter> {
  return barrier('loadT2iAdapter()', () => load(options));
}

async function load(options: LoadT2iAdapterOptions): Promise<T2iAdapter> {
  const parts = await openModel(options, {
    folder: 't2i_adapter',
    stems: ['diffusion_pytorch_model', 'model'],
    // A folder has full adapters' names or diffusers', which differ.
    names: originalNames([]),
  });
  expectSupportedAdapter(parts.checkpoint.name, parts.checkpoint.names);
  const config = t2iAdapterConfig(parts.config);
  const session = lazySession(options.backend, t2iAdapterGraph(parts.checkpoint, config, options.backend));
  return {
    config,
    unusedTensors: parts.checkpoint.unused(),
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async features(image, { signal } = {}) {
      expectTensor('The T2I-Adapter’s image', image, 'float32', [-1, config.imageChannels, -1, -1]);
      const results = await session.run({ pixels: unshuffled(image, config.factor) }, { signal });
      return config.stages.map((_, i) => results[`feature.${i}`] as Tensor<'float32'>);
    },
  };
}

/** Squares of pixels as channels: [n, c, h * f, w * f] to [n, c * f * f, h, w]; torch's `PixelUnshuffle`. */
function unshuffled({ dims, data }: Tensor<'float32'>, factor: number): Tensor<'float32'> {
  const [batch, channels, height, width] = dims;
  if (height % factor !== 0 || width % factor !== 0) {
    throw new TensorError(
      'bad-tensor',
      `The T2I-Adapter’s image is ${width} x ${height}: both must be multiples of ${factor}.`,
    );
  }
  const [rows, columns] = [height / factor, width / factor];
  const result = tensor('float32', [batch, channels * factor ** 2, rows, columns]);
  let i = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let dy = 0; dy < factor; dy++) {
      for (let dx = 0; dx < factor; dx++) {
        for (let y = 0; y < rows; y++) {
          const from = (plane * height + y * factor + dy) * width + dx;
          for (let x = 0; x < columns; x++) result.data[i++] = data[from + x * factor];
        }
      }
    }
  }
  return result;
}
