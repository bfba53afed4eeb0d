import { type RawTensorInfo, type TensorInfo, UnsupportedError } from '@sd/core';
import { residualName } from './residual-names.js';

/** An input of an exported model: what it is called here, and how it is there. */
export interface NamedInput {
  readonly name: string;
  readonly info: TensorInfo;
  /** Does it count as zeros where it is not given? */
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
/** Olive leaves these without names, and the exporter calls them by what uses them first, in their order. */
const unnamed = ['text_embeds', 'time_ids'];

/** What the inputs of an exported U-Net or ControlNet are. Throws an UnsupportedError for one that is nothing known, or is missing. */
export function namedInputs(path: string, infos: readonly TensorInfo[]): NamedInput[] {
  const nameless = infos.filter(({ name }) => name.startsWith('onnx::'));
  const named = infos.map((info): NamedInput => {
    const residual = residualName(info.name);
    if (residual !== undefined) return { name: residual, info, optional: true };
    const name =
      nameless.length === unnamed.length && nameless.includes(info) ? unnamed[nameless.indexOf(info)] : info.name;
    if (!known.includes(name)) {
      throw new UnsupportedError(
        `${path} takes ${info.name}, which this version does not know: it is of another kind of model.`,
      );
    }
    return { name, info, optional: false };
  });
  const missing = known.slice(0, 3).find((name) => !named.some((input) => input.name === name));
  if (missing === undefined) return named;
  const takes = infos.map(({ name }) => name).join(', ');
  throw new UnsupportedError(
    `${path} has no input ${missing}, but ${takes}: it is no model of Stable Diffusion 1, 2 or XL.`,
  );
}

/** The size of an axis where the model fixes it, else what its config says, else what is usual. */
export function sizeOfAxis(info: RawTensorInfo | undefined, axis: number, config: unknown, usual: number): number {
  const size = info?.dims[axis];
  if (typeof size === 'number') return size;
  return typeof config === 'number' ? config : usual;
}
