import { type Conditions, expectTensor, sizeOf, type Tensor, tensor, UnsupportedError } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { NamedInput } from './inputs.js';

const picturesInput = 'controlnet_conds';
const scalesInput = 'conditioning_scales';
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

export interface FusedControlNetOptions {
  /** Which of the ControlNets it is, from 0, and how many there are: the U-Net's `controlNets`. */
  readonly index: number;
  readonly count: number;
  /** Its picture, [1, 3, h * 8, w * 8], 0 to 1. */
  readonly image: Tensor<'float32'>;
  /** How strongly it acts; asked at each call. */
  readonly strength: () => number;
}

/**
 * A picture for one of the ControlNets that a U-Net was exported with, as a condition of it. Several go together, as what
 * they give adds up; each of the ControlNets takes one picture.
 */
export function fusedControlNetCondition({ index, count, image, strength }: FusedControlNetOptions): Condition {
  let pictures: Tensor<'float32'> | undefined;
  return ({ texts: { length: n } }): Conditions => {
    const now = strength();
    if (now === 0) return {};
    if (pictures?.dims[1] !== n) pictures = placed(image, index, count, n);
    const scales = tensor('float32', [count, 1]);
    scales.data[index] = now;
    return { [picturesInput]: pictures, [scalesInput]: scales };
  };
}

/** [count, n, 3, h, w]: black but for the picture, n times, at its place. */
function placed(image: Tensor<'float32'>, index: number, count: number, n: number): Tensor<'float32'> {
  const all = tensor('float32', [count, n, ...image.dims.slice(1)]);
  const size = sizeOf(image.dims.slice(1));
  for (let i = 0; i < n; i++) all.data.set(image.data, (index * n + i) * size);
  return all;
}
