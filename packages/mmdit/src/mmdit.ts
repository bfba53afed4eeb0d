import {
  type Backend,
  barrier,
  expectTensor,
  lazySession,
  type NoisePredictor,
  type Tensor,
  TensorError,
  tensor,
} from '@sd/core';
import { completeFeeds, type LayerExtension } from '@sd/graph';
import { type Checkpoint, type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { type MmditConfig, mmditConfig } from './config.js';
import { mmditGraph } from './mmdit-graph.js';
import { mmditWorkingBytes } from './working-memory.js';

/** The backend, and the model: its folder (by default `transformer`), or its weights and config. */
export type LoadMmditOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/** A transformer from a checkpoint as a stage, with the names of the unused tensors in its files. */
export interface CheckpointMmdit extends NoisePredictor {
  readonly config: MmditConfig;
  readonly unusedTensors: readonly string[];
  readonly needs: NonNullable<NoisePredictor['needs']>;
  /**
   * The same checkpoint with these extensions in place of this stage's: another stage with another session. Throws the error
   * of an extension that does not fit this model.
   */
  withExtensions(extensions: readonly LayerExtension[]): CheckpointMmdit;
  /** See `Extendable.checkFiles`. */
  checkFiles(): Promise<void>;
}

/**
 * Opens the transformer of Stable Diffusion 3 in diffusers' layout (`config.json`,
 * `diffusion_pytorch_model.safetensors`) and writes its graph. The weights are loaded at first use, or by `load()`.
 * It needs the condition `pooled_projections` [n, pooledWidth]. Throws SourceError, CheckpointError,
 * UnsupportedError.
 */
export function loadMmdit(options: LoadMmditOptions): Promise<CheckpointMmdit> {
  return barrier('loadMmdit()', () => load(options));
}

async function load({ backend, ...from }: LoadMmditOptions): Promise<CheckpointMmdit> {
  await backend.ready?.();
  const model = await openModel(from, { folder: 'transformer', stems: ['diffusion_pytorch_model', 'model'] });
  return mmditOf({ backend, checkpoint: model.checkpoint, config: mmditConfig(model.config) });
}

const mainInputs = ['hidden_states', 'timestep', 'encoder_hidden_states'];

interface Parts {
  readonly backend: Backend;
  readonly checkpoint: Checkpoint;
  readonly config: MmditConfig;
}

function mmditOf(parts: Parts, extensions: readonly LayerExtension[] = []): CheckpointMmdit {
  const { backend, checkpoint, config } = parts;
  const model = mmditGraph(checkpoint, config, {
    provider: backend.provider,
    features: backend.features,
    extensions,
  });
  const session = lazySession(backend, model);

  return {
    config,
    unusedTensors: checkpoint.unused(),
    inChannels: config.inChannels,
    outChannels: config.outChannels,
    sampleSize: config.sampleSize,
    needs: model.inputs.filter(({ name, optional }) => !optional && !mainInputs.includes(name)),
    withExtensions: (others) => mmditOf(parts, others),
    workingBytes: (...shape) => mmditWorkingBytes(config, backend, shape),
    load: session.load,
    checkFiles: session.checkFiles,
    release: session.release,
    dispose: session.dispose,
    async predict({ sample, timestep, context, conditions }, { signal } = {}) {
      expectTensor('The transformer’s sample', sample, 'float32', [-1, config.inChannels, -1, -1]);
      expectTensor('The transformer’s context', context, 'float32', [sample.dims[0], -1, config.contextWidth]);
      checkSize(sample, config);
      const feeds = completeFeeds(model, {
        hidden_states: sample,
        timestep: tensor('float32', [1], Float32Array.of(timestep)),
        encoder_hidden_states: context,
        ...conditions,
      });
      const { out_sample } = await session.run(feeds, { signal });
      return out_sample as Tensor<'float32'>;
    },
  };
}

function checkSize({ dims }: Tensor, { patchSize, positionSize }: MmditConfig): void {
  const [height, width] = dims.slice(2);
  const longest = patchSize * positionSize;
  if (height % patchSize === 0 && width % patchSize === 0 && Math.max(height, width) <= longest) return;
  throw new TensorError(
    'bad-tensor',
    `The transformer’s sample is ${height} x ${width}, but its sides must be multiples of ${patchSize}, up to ${longest}.`,
  );
}
