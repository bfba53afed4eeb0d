import { type Backend, expectTensor, lazySession, type Source, type Tensor, tensor, type Unet } from '@sd/core';
import { type Checkpoint, completeFeeds, openCheckpoint, readConfig } from '@sd/graph';
import { type UnetConfig, unetConfig } from './config.js';
import type { UnetExtension } from './extension.js';
import { unetGraph } from './unet-graph.js';

export interface LoadUnetOptions {
  readonly source: Source;
  readonly backend: Backend;
  /** The model's folder in the source: `unet`. */
  readonly folder?: string;
  /** The variant of the weights to prefer: `fp16`. */
  readonly variant?: string;
}

/** A U-Net from a checkpoint as a stage, and the names of the tensors in its files that it has no use for. */
export interface CheckpointUnet extends Unet {
  readonly config: UnetConfig;
  readonly unusedTensors: readonly string[];
  /**
   * The same checkpoint with these extensions, in place of those that this one has: another stage, with a session of its
   * own. Throws what an extension throws that does not fit this model.
   */
  extended(extensions: readonly UnetExtension[]): CheckpointUnet;
}

/**
 * Opens a U-Net in diffusers' layout (`config.json`, `diffusion_pytorch_model.safetensors`) and writes its graph. Nothing
 * is loaded yet: that happens at first use, or by `load()`. Throws SourceError, CheckpointError, UnsupportedError.
 */
export async function loadUnet({
  source,
  backend,
  folder = 'unet',
  variant,
}: LoadUnetOptions): Promise<CheckpointUnet> {
  const config = unetConfig(await readConfig(source, `${folder}/config.json`));
  const checkpoint = await openCheckpoint(source, folder, { stems: ['diffusion_pytorch_model', 'model'], variant });
  return unetOf({ backend, checkpoint, config });
}

interface Parts {
  readonly backend: Backend;
  readonly checkpoint: Checkpoint;
  readonly config: UnetConfig;
}

function unetOf(parts: Parts, extensions: readonly UnetExtension[] = []): CheckpointUnet {
  const { backend, checkpoint, config } = parts;
  const model = unetGraph(checkpoint, config, { provider: backend.provider, extensions });
  const session = lazySession(backend, model);

  return {
    config,
    unusedTensors: checkpoint.unasked(),
    inChannels: config.inChannels,
    outChannels: config.outChannels,
    sampleSize: config.sampleSize,
    extended: (others) => unetOf(parts, others),
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async predict({ sample, timestep, context, conditions }, { signal } = {}) {
      const batch = sample.dims[0];
      expectTensor('The U-Net’s sample', sample, 'float32', [-1, config.inChannels, -1, -1]);
      expectTensor('The U-Net’s context', context, 'float32', [batch, -1, config.levels[0].contextWidth]);
      const feeds = completeFeeds(model, {
        sample,
        timestep: tensor('float32', [1], Float32Array.of(timestep)),
        encoder_hidden_states: context,
        ...conditions,
      });
      const { out_sample } = await session.run(feeds, { signal });
      return out_sample as Tensor<'float32'>;
    },
  };
}
