import {
  type Backend,
  barrier,
  type Conditions,
  expectTensor,
  lazySession,
  type NoisePredictor,
  type NoisePredictorInput,
  type Tensor,
  TensorError,
  tensor,
} from '@sd/core';
import { completeFeeds } from '@sd/graph';
import { type Checkpoint, type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { type UnetConfig, unetConfig } from './config.js';
import type { UnetExtension } from './extension.js';
import { unetGraph } from './unet-graph.js';
import { unetWorkingBytes } from './working-memory.js';

/** The backend, and the model: a folder (`unet` by default), or its weights and config. */
export type LoadUnetOptions = { readonly backend: Backend } & (ModelFolder | ModelParts);

/** The stage over a U-Net's checkpoint. */
export interface CheckpointUnet extends NoisePredictor {
  readonly config: UnetConfig;
  /** Its weights by diffusers' names, for adapters that share them. */
  readonly checkpoint: Checkpoint;
  /** Names of tensors in the files that the graph does not use. */
  readonly unusedTensors: readonly string[];
  readonly needs: NonNullable<NoisePredictor['needs']>;
  /**
   * Another stage over the same checkpoint, with these extensions instead of this one's, and a separate session. Throws the
   * error of an extension that does not fit the model.
   */
  withExtensions(extensions: readonly UnetExtension[]): CheckpointUnet;
  /**
   * As `predict`, but returns these outputs of the graph by name: `out_sample`, and those that extensions add. What is not
   * named is not copied out of the session.
   */
  outputsOf(
    input: NoisePredictorInput,
    outputs: readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Record<string, Tensor<'float32'>>>;
  /** See `Extendable.checkFiles`. */
  checkFiles(): Promise<void>;
}

/**
 * Opens a U-Net in diffusers' layout (`config.json`, `diffusion_pytorch_model.safetensors`) and writes its graph. The
 * session is created at first use, or by `load()`. Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadUnet(options: LoadUnetOptions): Promise<CheckpointUnet> {
  return barrier('loadUnet()', () => load(options));
}

async function load({ backend, ...from }: LoadUnetOptions): Promise<CheckpointUnet> {
  await backend.ready?.();
  const model = await openModel(from, { folder: 'unet', stems: ['diffusion_pytorch_model', 'model'] });
  return unetOf({ backend, checkpoint: model.checkpoint, config: unetConfig(model.config) });
}

const standardInputs = ['sample', 'timestep', 'encoder_hidden_states'];

/** The output that every graph has. */
const prediction = 'out_sample';

interface Parts {
  readonly backend: Backend;
  readonly checkpoint: Checkpoint;
  readonly config: UnetConfig;
}

function unetOf(parts: Parts, extensions: readonly UnetExtension[] = []): CheckpointUnet {
  const { backend, checkpoint, config } = parts;
  const model = unetGraph(checkpoint, config, {
    provider: backend.provider,
    features: backend.features,
    extensions,
  });
  const session = lazySession(backend, model);

  const outputsOf: CheckpointUnet['outputsOf'] = async (input, outputs, { signal } = {}) => {
    const { sample, timestep, context, conditions } = input;
    const batch = sample.dims[0];
    expectTensor('The U-Net’s sample', sample, 'float32', [-1, config.inChannels, -1, -1]);
    expectTensor('The U-Net’s context', context, 'float32', [batch, -1, config.levels[0].contextWidth]);
    checkAdded(config, conditions);
    const feeds = completeFeeds(model, {
      sample,
      timestep: tensor('float32', [1], Float32Array.of(timestep)),
      encoder_hidden_states: context,
      ...conditions,
    });
    return (await session.run(feeds, { outputs, signal })) as Record<string, Tensor<'float32'>>;
  };

  return {
    config,
    checkpoint,
    unusedTensors: checkpoint.unused(),
    inChannels: config.inChannels,
    outChannels: config.outChannels,
    sampleSize: config.sampleSize,
    needs: model.inputs.filter(({ name, optional }) => !optional && !standardInputs.includes(name)),
    withExtensions: (replacements) => unetOf(parts, replacements),
    workingBytes: (...shape) => unetWorkingBytes(config, backend, shape),
    load: session.load,
    checkFiles: session.checkFiles,
    release: session.release,
    dispose: session.dispose,
    outputsOf,
    predict: async (input, options) => (await outputsOf(input, [prediction], options))[prediction],
  };
}

/** The config has only the total width of the pooled text and the sinusoids: SDXL has six numbers, its refiner five. */
function checkAdded({ added }: UnetConfig, { text_embeds: text, time_ids: numbers }: Conditions = {}): void {
  if (added === undefined || text === undefined || numbers === undefined) return;
  const [pooled, count] = [text.dims[1], numbers.dims[1]];
  if (pooled + count * added.timeWidth === added.width) return;
  throw new TensorError(
    'bad-tensor',
    `The U-Net takes text_embeds and time_ids of width ${added.width} together, but text_embeds of width ${pooled} and ${count} time_ids of ${added.timeWidth} each make ${pooled + count * added.timeWidth}. SDXL has 6 time_ids, its refiner 5.`,
  );
}
