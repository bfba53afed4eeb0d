import { expectTensor, type Tensor, tensor, UnsupportedError } from '@sd/core';
import type { NamedInput } from './inputs.js';

export const picturesInput = 'controlnet_conds';
export const scalesInput = 'conditioning_scales';
/** Pixels a side for each latent: ControlNets halve their picture three times. */
const factor = 8;

/** The ControlNets that a U-Net was exported with, in one graph: their inputs, and how many they are. */
export interface FusedControlNets {
  readonly count: number;
  /**
   * What is given for their inputs at a call for a sample [n, channels, h, w], else black pictures, [count, n, 3, h * 8, w * 8],
   * at scales of 0, [count, 1]. Throws a TensorError for what is of other sizes.
   */
  feed(name: string, given: Tensor<'float32'> | undefined, sample: Tensor<'float32'>): Tensor<'float32'>;
}

/**
 * Reads the inputs that diffusers' script convert_stable_diffusion_controlnet_to_onnx.py writes; undefined for a U-Net without
 * them. Throws an UnsupportedError where their number is not fixed, or one of the two is missing.
 */
export function fusedControlNets(path: string, inputs: readonly NamedInput[]): FusedControlNets | undefined {
  const pictures = inputs.find(({ name }) => name === picturesInput)?.info;
  const scales = inputs.find(({ name }) => name === scalesInput)?.info;
  if (pictures === undefined && scales === undefined) return undefined;
  const [count] = pictures?.dims ?? [];
  if (typeof count !== 'number' || scales?.dims[0] !== count) {
    throw new UnsupportedError(
      `${path} was exported with ControlNets, but its inputs do not say how many: there must be ${picturesInput} [count, batch, 3, height, width] and ${scalesInput} [count, 1].`,
    );
  }
  return {
    count,
    feed(name, given, { dims: [batch, , height, width] }) {
      const dims = name === scalesInput ? [count, 1] : [count, batch!, 3, height! * factor, width! * factor];
      if (given === undefined) return tensor('float32', dims);
      expectTensor(`The U-Net’s ${name}`, given, 'float32', dims);
      return given;
    },
  };
}

export const isFusedInput = (name: string): boolean => name === picturesInput || name === scalesInput;
