import { type Tensor, tensor } from '@sd/core';
import type { Condition, ModelCall } from '@sd/guidance';
import type { UnetConfig, UnetExtension } from '@sd/unet';

/** Name of a U-Net's input for what T2I-Adapters add in its i-th block on the way down. */
const featureInput = (i: number) => `down_intrablock_additional_residual.${i}`;

/**
 * Room in a U-Net for what T2I-Adapters give, [n, c, h, w] each: it is added to what the last layer of a block gives that
 * attends to the text, and to a plain block's output; a last one to the middle's, as in SDXL.
 * @see diffusers' `UNet2DConditionModel.forward`, `down_intrablock_additional_residuals`
 */
export function t2iAdapterInputs({ levels }: UnetConfig): UnetExtension {
  const places = levels.map(({ downHeads, resnets }, i) =>
    downHeads > 0 ? `down_blocks.${i}.layers.${resnets - 1}` : `down_blocks.${i}`,
  );
  places.push('mid_block');
  return {
    name: 't2i-adapters',
    extend: (g) => ({
      feature(place, x) {
        const i = places.indexOf(place);
        if (i < 0) return x;
        const dims = [`features.${i}`, x.dims[1], `feature_height.${i}`, `feature_width.${i}`];
        return g.add(x, g.optionalInput(featureInput(i), dims));
      },
    }),
  };
}

/** A T2I-Adapter's features of an image, as a condition of a U-Net with `t2iAdapterInputs`. */
export function t2iAdapterCondition(
  features: readonly Tensor<'float32'>[],
  strength: (call: ModelCall) => number,
): Condition {
  return (call) => {
    const scale = strength(call);
    if (scale === 0) return {};
    const scaled = ({ dims, data }: Tensor<'float32'>) =>
      tensor(
        'float32',
        dims,
        data.map((value) => value * scale),
      );
    return Object.fromEntries(features.map((feature, i) => [featureInput(i), scaled(feature)]));
  };
}
