import { type RawTensorInfo, type TensorInfo, UnsupportedError } from '@sd/core';
import { residualName } from './residual-names.js';

/** An input of an exported model, with its name in this library. */
export interface NamedInput {
  readonly name: string;
  /** The input as exported. */
  readonly info: TensorInfo;
  /** True if zeros are fed in its place when it is not given. */
  readonly optional: boolean;
}

const known = [
  'sample',
  'timestep',
  'encoder_hidden_states',
  'text_embeds',
  'time_ids',
  'timestep_cond',
  'controlnet_cond',
  'conditioning_scale',
  'controlnet_conds',
  'conditioning_scales',
];
/** Olive leaves these inputs unnamed; the exporter then names them `onnx::...` after their first use, in this order. */
const unnamed = ['text_embeds', 'time_ids'];

/** Identifies the inputs of an exported U-Net or ControlNet. Throws an UnsupportedError if one is unknown or missing. */
export function namedInputs(path: string, infos: readonly TensorInfo[]): NamedInput[] {
  const nameless = infos.filter(({ name }) => name.startsWith('onnx::'));
  const named = infos.map((info): NamedInput => {
    const residual = residualName(info.name);
    if (residual !== undefined) return { name: residual, info, optional: true };
    const name =
      nameless.length === unnamed.length && nameless.includes(info) ? unnamed[nameless.indexOf(info)] : info.name;
    if (!known.includes(name)) {
      throw new UnsupportedError(
        `${path} has the unknown input ${info.name}: it is not a U-Net or ControlNet of a supported kind.`,
      );
    }
    return { name, info, optional: false };
  });
  const missing = known.slice(0, 3).find((name) => !named.some((input) => input.name === name));
  if (missing === undefined) return named;
  const takes = infos.map(({ name }) => name).join(', ');
  throw new UnsupportedError(
    `${path} has no input ${missing}, only ${takes}: it is not a model of Stable Diffusion 1, 2 or XL.`,
  );
}

/** The size of an axis: as fixed by the model, else from its config, else `fallback`. */
export function sizeOfAxis(info: RawTensorInfo | undefined, axis: number, config: unknown, fallback: number): number {
  const size = info?.dims[axis];
  if (typeof size === 'number') return size;
  return typeof config === 'number' ? config : fallback;
}
