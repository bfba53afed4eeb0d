import { expectTensor, type Tensor, tensor, UnsupportedError } from '@sd/core';
import type { NamedInput } from './inputs.js';

export const controlImagesInput = 'controlnet_conds';
export const scalesInput = 'conditioning_scales';
/** Pixels per latent on each side: ControlNets downsample their image three times. */
const factor = 8;

/** The ControlNets inside an exported U-Net's graph. */
export interface FusedControlNets {
  readonly count: number;
  /**
   * The tensor for one of their inputs, in a call with `sample` [n, channels, h, w]: the given one, or by default black
   * images [count, n, 3, h * 8, w * 8] at scales of 0, [count, 1]. Throws a TensorError for another shape.
   */
  feed(name: string, given: Tensor<'float32'> | undefined, sample: Tensor<'float32'>): Tensor<'float32'>;
}

/**
 * Finds the inputs that diffusers' convert_stable_diffusion_controlnet_to_onnx.py writes; undefined if there are none. Throws
 * an UnsupportedError if the number of ControlNets is not fixed, or one of the two inputs is missing.
 */
export function fusedControlNets(path: string, inputs: readonly NamedInput[]): FusedControlNets | undefined {
  const images = inputs.find(({ name }) => name === controlImagesInput)?.info;
  const scales = inputs.find(({ name }) => name === scalesInput)?.info;
  if (images === undefined && scales === undefined) return undefined;
  const [count] = images?.dims ?? [];
  if (typeof count !== 'number' || scales?.dims[0] !== count) {
    throw new UnsupportedError(
      `${path} was exported with ControlNets, but its inputs do not say how many. It needs ${controlImagesInput} [count, batch, 3, height, width] and ${scalesInput} [count, 1].`,
    );
  }
  return {
    count,
    feed(name, given, { dims: [batch, , height, width] }) {
      const dims = name === scalesInput ? [count, 1] : [count, batch, 3, height * factor, width * factor];
      if (given === undefined) return tensor('float32', dims);
      expectTensor(`The U-Net’s ${name}`, given, 'float32', dims);
      return given;
    },
  };
}

export const isFusedInput = (name: string): boolean => name === controlImagesInput || name === scalesInput;
