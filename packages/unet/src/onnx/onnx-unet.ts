import {
  type Backend,
  barrier,
  expectTensor,
  type NoisePredictor,
  type Source,
  type Tensor,
  TensorError,
  tensor,
} from '@sd/core';
import { type Config, hasFile, readConfig } from '@sd/weights';
import { type OnnxFile, type OnnxSession, onnxSession, openOnnxFile } from '@sd/weights/onnx-file';
import { unetWorkingBytes } from '../working-memory.js';
import { fusedControlNets, isFusedInput } from './fused-controlnets.js';
import { namedInputs, sizeOfAxis } from './inputs.js';
import { timestepFor } from './timestep.js';

export interface LoadOnnxUnetOptions {
  readonly backend: Backend;
  readonly source: Source;
  /** The model's folder in the source, with `model.onnx` and optionally `config.json`: `unet` by default. */
  readonly folder?: string;
  /** Height and width of the latents that it was trained on, if neither graph nor config has it: 64 by default. */
  readonly sampleSize?: number;
}

/** The stage over a U-Net that was exported to ONNX. */
export interface OnnxUnet extends NoisePredictor {
  readonly needs: NonNullable<NoisePredictor['needs']>;
  readonly file: OnnxFile;
  /** Inputs for the residuals of ControlNets, by their names in `conditions`; empty if it was exported without them. */
  readonly residuals: readonly string[];
  /** Number of ControlNets inside its graph. They have no effect unless `fusedControlNetCondition` feeds them. */
  readonly controlNets: number;
}

/**
 * Opens a U-Net exported to ONNX by optimum, diffusers' scripts, Olive or a ControlNet converter. Reads the names, types and
 * ranks of its inputs from the model, and converts values to them. The session is created at first use, or by `load()`.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadOnnxUnet(options: LoadOnnxUnetOptions): Promise<OnnxUnet> {
  return barrier('loadOnnxUnet()', () => load(options));
}

async function load(options: LoadOnnxUnetOptions): Promise<OnnxUnet> {
  const { backend, source, folder = 'unet' } = options;
  const at = (name: string) => (folder === '' ? name : `${folder}/${name}`);
  const file = await openOnnxFile(source, at('model.onnx'));
  const config = (await hasFile(source, at('config.json'))) ? await readConfig(source, at('config.json')) : undefined;
  const levels = usualLevels(config);
  const session = onnxSession(backend, file, 'unet', { repeated: true });
  const inputs = namedInputs(file.path, session.inputs);
  const [sampleInfo, timestepInfo, contextInfo] = ['sample', 'timestep', 'encoder_hidden_states'].map(
    (name) => inputs.find((input) => input.name === name)!.info,
  ) as [OnnxInput, OnnxInput, OnnxInput];
  const [output] = file.outputs;
  if (output === undefined) throw new TensorError('bad-tensor', `${file.path} has no output, so it is not a U-Net.`);
  const inChannels = sizeOfAxis(sampleInfo, 1, config?.get('in_channels'), 4);
  const needed = inputs.filter(
    ({ name, info, optional }) =>
      !optional && !isFusedInput(name) && ![sampleInfo, timestepInfo, contextInfo].includes(info),
  );
  const fused = fusedControlNets(file.path, inputs);

  return {
    file,
    inChannels,
    outChannels: sizeOfAxis(output, 1, config?.get('out_channels'), 4),
    sampleSize: sizeOfAxis(sampleInfo, 2, config?.get('sample_size'), options.sampleSize ?? 64),
    residuals: inputs.flatMap(({ name, optional }) => (optional ? [name] : [])),
    controlNets: fused?.count ?? 0,
    needs: needed.map(({ name, info }) => ({
      name,
      type: 'float32',
      dims:
        name === 'timestep_cond'
          ? [info.dims[0] ?? 'batch', sizeOfAxis(info, 1, config?.get('time_cond_proj_dim'), 256)]
          : info.dims,
    })),
    workingBytes: (...shape) => unetWorkingBytes({ levels }, {}, shape),
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async predict({ sample, timestep, context, conditions = {} }, { signal } = {}) {
      const batch = sample.dims[0];
      expectTensor('The U-Net’s sample', sample, 'float32', [-1, inChannels, -1, -1]);
      expectTensor('The U-Net’s context', context, 'float32', [batch, -1, sizeOfAxis(contextInfo, 2, undefined, -1)]);
      const unknown = Object.keys(conditions).find((name) => !inputs.some((input) => input.name === name));
      if (unknown !== undefined) {
        throw new TensorError(
          'bad-tensor',
          `${file.path} has no input ${unknown}. It takes ${inputs.map(({ name }) => name).join(', ')}.`,
        );
      }
      const feeds: Record<string, Tensor> = {};
      for (const { name, info, optional } of inputs) {
        if (info === sampleInfo) feeds[info.name] = sample;
        else if (info === timestepInfo) feeds[info.name] = timestepFor(info, sampleInfo, timestep, batch);
        else if (info === contextInfo) feeds[info.name] = context;
        else if (fused !== undefined && isFusedInput(name))
          feeds[info.name] = fused.feed(name, conditions[name], sample);
        else {
          const value = conditions[name] ?? (optional ? zeros(info.dims) : undefined);
          if (value !== undefined) feeds[info.name] = value;
        }
      }
      const results = await session.run(batch, feeds, { signal, outputs: [output.name] });
      return results[output.name];
    },
  };
}

type OnnxInput = OnnxSession['inputs'][number];

/** Zeros that broadcast to any shape of these dimensions. */
function zeros(dims: OnnxInput['dims']): Tensor<'float32'> {
  return tensor(
    'float32',
    dims.map((size) => (typeof size === 'number' ? size : 1)),
  );
}

/** The levels of an export for its estimate of memory: Stable Diffusion's, with the channels of its config if it has one. */
function usualLevels(config: Config | undefined) {
  const channels = config?.numbers('block_out_channels', [320, 640, 1280, 1280]) ?? [320, 640, 1280, 1280];
  return channels.map((width) => ({ channels: width, resnets: 2, downHeads: 1, upHeads: 1 }));
}
