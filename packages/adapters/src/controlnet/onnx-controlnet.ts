import {
  type Backend,
  barrier,
  expectTensor,
  type Source,
  type StageResources,
  type Tensor,
  tensor,
  UnsupportedError,
} from '@sd/core';
import { namedInputs, residualOutputs, sizeOfAxis, timestepFor } from '@sd/unet/onnx';
import { type OnnxFile, onnxSession, openOnnxFile } from '@sd/weights/onnx-file';
import type { ControlNet } from './controlnet.js';

export interface LoadOnnxControlNetOptions {
  readonly backend: Backend;
  readonly source: Source;
  /** The model in the source: `model.onnx` if left out. */
  readonly path?: string;
}

/** A ControlNet that was exported to ONNX. Its features are the image itself, which it reads at each call. */
export interface OnnxControlNet
  extends Pick<ControlNet, 'outputs' | 'readImage' | 'predict'>,
    Required<StageResources> {
  readonly file: OnnxFile;
  /** Width of the text that it attends to, where the model says so. */
  readonly contextWidth: number | undefined;
  /** Whether it takes what SDXL's U-Net takes besides text. */
  readonly added: boolean;
  /** No ControlNet is exported that gives the same everywhere. */
  readonly config: { readonly pooled: false };
}

/**
 * Opens a ControlNet that was exported to ONNX apart from its U-Net, as OnnxStack and Amblyopius do. Its outputs are bound
 * by their names where those say which they are, else by their order. Nothing is loaded yet.
 * Throws SourceError, CheckpointError, UnsupportedError.
 */
export function loadOnnxControlNet(options: LoadOnnxControlNetOptions): Promise<OnnxControlNet> {
  return barrier('loadOnnxControlNet()', () => load(options));
}

async function load({ backend, source, path = 'model.onnx' }: LoadOnnxControlNetOptions): Promise<OnnxControlNet> {
  const file = await openOnnxFile(source, path);
  const session = onnxSession(backend, file, 'controlnet', { repeated: true });
  const inputs = namedInputs(path, session.inputs);
  const infoOf = (name: string) => inputs.find((input) => input.name === name)?.info;
  const [sampleInfo, timestepInfo, contextInfo, imageInfo] = [
    'sample',
    'timestep',
    'encoder_hidden_states',
    'controlnet_cond',
  ].map((name) => {
    const info = infoOf(name);
    if (info === undefined) throw new UnsupportedError(`${path} has no input ${name}: it is no ControlNet.`);
    return info;
  });
  const outputs = residualOutputs(file.outputs.map(({ name }) => name));
  const scaleInfo = infoOf('conditioning_scale');
  const width = contextInfo.dims[2];

  return {
    file,
    contextWidth: typeof width === 'number' ? width : undefined,
    added: infoOf('text_embeds') !== undefined,
    config: { pooled: false },
    outputs: [...outputs.values()],
    load: session.load,
    release: session.release,
    dispose: session.dispose,
    async readImage(image) {
      expectTensor('The ControlNet’s image', image, 'float32', [-1, sizeOfAxis(imageInfo, 1, undefined, 3), -1, -1]);
      return image;
    },
    async predict({ sample, timestep, context, conditions = {}, features, scales }, { signal } = {}) {
      const batch = sample.dims[0];
      const feeds: Record<string, Tensor> = {
        [sampleInfo.name]: sample,
        [timestepInfo.name]: timestepFor(timestepInfo, sampleInfo, timestep, batch),
        encoder_hidden_states: context,
        [imageInfo.name]: repeated(features, batch),
      };
      // Each output is scaled below, so that the model's single scale is 1.
      if (scaleInfo !== undefined)
        feeds[scaleInfo.name] = tensor(
          'float32',
          scaleInfo.dims.map(() => 1),
          Float32Array.of(1),
        );
      for (const [name, value] of Object.entries(conditions)) feeds[infoOf(name)?.name ?? name] = value;
      const results = await session.run(batch, feeds, { ...(signal && { signal }) });
      return Object.fromEntries(
        [...outputs].map(([output, name], i) => {
          const { dims, data } = results[output];
          return [
            name,
            tensor(
              'float32',
              dims,
              data.map((value) => value * scales[i]),
            ),
          ];
        }),
      );
    },
  };
}

/** One image for all of a batch. */
function repeated({ dims, data }: Tensor<'float32'>, n: number): Tensor<'float32'> {
  if (dims[0] === n) return tensor('float32', dims, data);
  const whole = tensor('float32', [n, ...dims.slice(1)]);
  for (let i = 0; i < n; i++) whole.data.set(data.subarray(0, data.length / dims[0]), (i * data.length) / dims[0]);
  return whole;
}
