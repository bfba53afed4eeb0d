import { adapterKinds, familyOfContext } from '@sd/adapters';
import type { Source } from '@sd/core';
import { hasFile } from '@sd/weights';
import { missingOperators, type OnnxFile, openOnnxFile } from '@sd/weights/onnx-file';
import { families } from '../../families/index.js';
import type { FileKind, Finding } from './inspection.js';

/** A finding with known data types. */
export type FoundOnnx = Finding & { readonly dtypes: readonly string[] };

/** safetensors' names of data types. */
const dtypes: Readonly<Record<string, string>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  int8: 'I8',
  uint8: 'U8',
};

/** Recognises a folder of exported models: the exporter, the data types, and what can be done with them. */
export async function findOnnxFolder(source: Source, className: string | undefined): Promise<FoundOnnx> {
  const unet = await openOnnxFile(source, 'unet/model.onnx');
  const encoder = (await hasFile(source, 'vae_encoder/model.onnx'))
    ? await openOnnxFile(source, 'vae_encoder/model.onnx')
    : undefined;
  const { details, family, dtypes: types } = describeModel(unet);
  const missing = missingOperators(unet.operators, 'cpu');
  const canDo =
    missing.length > 0
      ? `loadPipeline() draws with it on CUDA: it was fused, and has ${missing.join(', ')}, which other providers do not have.`
      : encoder === undefined
        ? 'loadPipeline() draws with it, but not from images: its VAE was exported without the encoder.'
        : undefined;
  return {
    kind: 'pipeline',
    layout: exporterOf(className, unet),
    dtypes: types,
    details: { class: className, ...details, encoder: encoder?.outputs[0]?.name },
    family,
    canDo,
  };
}

/** Recognises the component that an exported model is, by its inputs and outputs. */
export async function findOnnxFile(source: Source, path: string): Promise<FoundOnnx> {
  const file = await openOnnxFile(source, path);
  const kind = kindOf(file);
  return { kind, layout: 'ONNX', ...describeModel(file), canDo: componentUsages[kind] };
}

/** For exported components that are loaded otherwise than components in one file. */
const componentUsages: Readonly<Record<string, string>> = {
  unet: 'loadPipeline(model, { components: { unet: folder } }) uses it in place of the model’s own.',
  vae: 'It is a part of a model: load the model’s folder.',
};

function kindOf(file: OnnxFile): FileKind {
  const adapter = adapterKinds.find(({ detectOnnx }) => detectOnnx?.(file));
  if (adapter !== undefined) return adapter.name;
  const { inputs, outputs } = file;
  const takes = (name: string) => inputs.some((input) => input.name === name);
  const gives = (name: RegExp) => outputs.some((output) => name.test(output.name));
  if (takes('sample') && takes('timestep') && takes('encoder_hidden_states')) return 'unet';
  if (takes('input_ids') && gives(/^last_hidden_state$/)) return 'text-encoder';
  const readsImage = inputs.length === 1 && inputs[0].dims.length === 4;
  return readsImage && (takes('latent_sample') || gives(/^latent_(sample|parameters)$/)) ? 'vae' : 'onnx';
}

function describeModel(file: OnnxFile): Pick<FoundOnnx, 'details' | 'family' | 'dtypes'> {
  const dimsOf = (input: string) => file.inputs.find(({ name }) => name === input)?.dims;
  const width = dimsOf('encoder_hidden_states')?.[2];
  const family = typeof width === 'number' ? familyOfContext(families, width)?.id : undefined;
  const weights = [...file.weightBytes].filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a);
  const fused = [...file.operators].filter((name) => name.startsWith('com.microsoft.'));
  return {
    dtypes: weights.map(([type]) => dtypes[type] ?? type),
    details: {
      producer: file.producer,
      opset: file.opset,
      inputs: file.inputs.map(({ name, type, dims }) => `${name}: ${type} [${dims.join(', ')}]`),
      fused: fused.length === 0 ? undefined : fused,
      // diffusers' script can export ControlNets inside the U-Net.
      controlNets: dimsOf('controlnet_conds')?.[0],
    },
    family,
  };
}

/** Recognises an exporter and its version by what changed between them. */
function exporterOf(className: string | undefined, { inputs, operators }: OnnxFile): string {
  if ([...operators].some((name) => name.startsWith('com.microsoft.'))) return 'ONNX, by Olive';
  if (className?.startsWith('Onnx') === true) return 'ONNX, by diffusers’ script';
  const timestep = inputs.find(({ name }) => name === 'timestep');
  return timestep?.type === 'int64' ? 'ONNX, by optimum up to 1.23' : 'ONNX, by optimum from 1.24';
}
