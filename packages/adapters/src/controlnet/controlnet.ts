import {
  type Backend,
  barrier,
  expectTensor,
  lazySession,
  type NoisePredictorInput,
  type StageResources,
  settleAll,
  type Tensor,
  tensor,
} from '@sd/core';
import { completeFeeds, type TensorLookup } from '@sd/graph';
import type { UnetExtension } from '@sd/unet';
import { type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { expectSupportedAdapter } from '../unsupported-files.js';
import { type ControlNetConfig, controlNetConfig } from './config.js';
import { controlImageGraph, controlNetGraph, residualNames, skipCount } from './graphs.js';

export interface ControlNetInput extends NoisePredictorInput {
  /** The features that `readImage` gave, [1 or n, c, height / 8, width / 8]. */
  readonly features: Tensor<'float32'>;
  /** A factor for each output; the mid block's is last. */
  readonly scales: readonly number[];
}

/** A copy of a U-Net's half that reads an image and gives residuals to add to the U-Net (arXiv 2302.05543). */
export interface ControlNet extends StageResources {
  readonly config: ControlNetConfig;
  readonly unusedTensors: readonly string[];
  /** Its outputs, by the names of the U-Net's inputs. */
  readonly outputs: readonly string[];
  /** An image [n, channels, h, w], 0 to 1, as features for every step of a run. */
  readImage(image: Tensor<'float32'>, options?: { readonly signal?: AbortSignal }): Promise<Tensor<'float32'>>;
  /** The residuals to add to a U-Net at one call of it, by the names of its inputs. */
  predict(
    input: ControlNetInput,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Record<string, Tensor<'float32'>>>;
}

export type LoadControlNetOptions = (ModelFolder | ModelParts) & { readonly backend: Backend };

/**
 * Opens a ControlNet in diffusers' layout, or as weights and a config. Nothing is loaded yet: that happens at first use, or
 * by `load()`. Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadControlNet(options: LoadControlNetOptions): Promise<ControlNet> {
  return barrier('loadControlNet()', () => load(options));
}

async function load(options: LoadControlNetOptions): Promise<ControlNet> {
  const { backend } = options;
  await backend.ready?.();
  const { checkpoint, config } = await openModel(options, {
    folder: 'controlnet',
    stems: ['diffusion_pytorch_model', 'model'],
  });
  expectSupportedAdapter(checkpoint.name, checkpoint.names);
  const net = controlNetOf({ backend, tensors: checkpoint, config: controlNetConfig(config) });
  return { ...net, unusedTensors: checkpoint.unused() };
}

interface Parts {
  readonly backend: Backend;
  readonly tensors: TensorLookup;
  readonly config: ControlNetConfig;
  readonly extensions?: readonly UnetExtension[];
}

/** A ControlNet over tensors by diffusers' names. Writes its graphs, and throws a CheckpointError for what does not fit. */
export function controlNetOf({ backend, tensors, config, extensions }: Parts): Omit<ControlNet, 'unusedTensors'> {
  const { provider, features } = backend;
  const model = controlNetGraph(tensors, config, { provider, features, extensions });
  const reader = lazySession(backend, controlImageGraph(tensors, config, backend));
  const session = lazySession(backend, model);
  const outputs = residualNames(skipCount(config.unet));
  const both = [session, reader];
  return {
    config,
    outputs,
    load: session.load,
    release: async () => void (await settleAll(both.map((session) => session.release))),
    dispose: async () => void (await settleAll(both.map((session) => session.dispose))),
    async readImage(image, { signal } = {}) {
      expectTensor('The ControlNet’s image', image, 'float32', [-1, config.imageChannels, -1, -1]);
      const { features } = await reader.run({ image: config.bgr ? reversedChannels(image) : image }, { signal });
      return features as Tensor<'float32'>;
    },
    async predict({ sample, timestep, context, conditions, features, scales }, { signal } = {}) {
      const feeds = completeFeeds(model, {
        sample,
        timestep: tensor('float32', [1], Float32Array.of(timestep)),
        encoder_hidden_states: context,
        features,
        scales: tensor('float32', [scales.length], Float32Array.from(scales)),
        ...conditions,
      });
      return (await session.run(feeds, { signal })) as Record<string, Tensor<'float32'>>;
    },
  };
}

function reversedChannels({ dims, data }: Tensor<'float32'>): Tensor<'float32'> {
  const [batch, channels, height, width] = dims;
  const size = height * width;
  const result = tensor('float32', dims);
  for (let i = 0; i < batch * channels; i++) {
    const from = i - (i % channels) + channels - 1 - (i % channels);
    result.data.set(data.subarray(from * size, (from + 1) * size), i * size);
  }
  return result;
}
