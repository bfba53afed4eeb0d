import { lazyImport, UnsupportedError } from '@sd/core';
import type { AttentionMaps } from '@sd/unet/attention';
import type { AdaptedStages } from './adapted-stages.js';

/**
 * Makes a function that adds attention maps to the outputs of a pipeline's noise predictor, at the first call: its session
 * is replaced, and keeps the outputs, which cost nothing in runs that do not ask for them. Rejects with an UnsupportedError
 * for a noise predictor that has none.
 */
export function attentionOutputs(adapted: AdaptedStages, { load }: { readonly load: boolean }) {
  let added: { readonly extension: AttentionMaps; readonly extensions: Readonly<Record<string, unknown>> } | undefined;
  return async (signal: AbortSignal): Promise<AttentionMaps> => {
    const { attentionMaps, canMapAttention } = await lazyImport(() => import('@sd/unet/attention'));
    const { noisePredictor } = adapted.composition;
    if (!canMapAttention(adapted.stages.noisePredictor)) {
      throw new UnsupportedError(
        `attentionMaps needs the U-Net of a checkpoint of Stable Diffusion 1, 2 or XL, and this model's ${noisePredictor} is none: transformers attend to text and image together, and ONNX exports and custom stages do not give their attention.`,
      );
    }
    if (added === undefined) {
      const extension = attentionMaps();
      added = { extension, extensions: { [noisePredictor]: extension } };
    }
    await adapted.observe(added, { load, signal });
    return added.extension;
  };
}
