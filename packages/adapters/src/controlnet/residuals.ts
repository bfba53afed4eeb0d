import { type Conditions, row, stack, type Tensor, tensor } from '@sd/core';
import type { Condition, ModelCall } from '@sd/guidance';
import type { UnetConfig, UnetExtension } from '@sd/unet';
import type { ControlNet } from './controlnet.js';
import { residualNames, skipCount } from './graphs.js';

/**
 * Inputs of a U-Net for ControlNets' outputs, which are added to the skip connections and to the mid block's output. An
 * input that is not fed adds nothing.
 */
export function controlNetInputs(config: UnetConfig): UnetExtension {
  const names = residualNames(skipCount(config));
  const places = new Map(names.map((name, i) => [i < names.length - 1 ? `skips.${i}` : 'mid_block', name]));
  return {
    name: 'controlnets',
    extend: (g) => ({
      feature(place, x) {
        const name = places.get(place);
        if (name === undefined) return x;
        return g.add(x, g.optionalInput(name, [`${name}:0`, x.dims[1], `${name}:2`, `${name}:3`]));
      },
    }),
  };
}

/** The part of a ControlNet that acts on a U-Net, wherever it was loaded from. */
export interface ActingControlNet extends Pick<ControlNet, 'outputs' | 'predict'> {
  readonly config: Pick<ControlNet['config'], 'pooled'>;
}

export interface ControlNetConditionOptions {
  readonly net: ActingControlNet;
  /** The features that `net.readImage` gave for the image. */
  readonly features: Tensor<'float32'>;
  /** How strongly it acts at a call of the model. At 0 the ControlNet does not run. */
  readonly strength: (call: ModelCall) => number;
  /**
   * Guess mode: the image is to be recognised without a prompt. The ControlNet acts on the prompt's side alone, and less
   * in shallow layers: a tenth in the first, rising evenly in the logarithm.
   */
  readonly guess?: boolean | undefined;
  /** The inputs of the ControlNet besides text, as SDXL's have. */
  readonly conditions?: Condition | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A ControlNet and its image as a condition of a U-Net with `controlNetInputs`. */
export function controlNetCondition(options: ControlNetConditionOptions): Condition {
  const { net, features, strength, signal } = options;
  // One that gives the same everywhere is for the prompt's side too.
  const promptOnly = (options.guess ?? false) || net.config.pooled;
  const last = net.outputs.length - 1;
  const layerScales = net.outputs.map((_, i) =>
    options.guess === true && !net.config.pooled ? 10 ** (i / last - 1) : 1,
  );
  return async (call) => {
    const scale = strength(call);
    const rows = call.texts.flatMap((text, i) => (promptOnly && text === call.negative ? [] : [i]));
    if (scale === 0 || rows.length === 0) return {};
    const part = rowsOf(call, rows);
    const conditions = await options.conditions?.(part);
    const { sample, timestep, context } = part;
    const scales = layerScales.map((layerScale) => layerScale * scale);
    const residuals = await net.predict(
      { sample, timestep, context, features, scales, ...(conditions && { conditions }) },
      { signal },
    );
    return rows.length === call.texts.length ? residuals : spread(residuals, rows, call.texts.length);
  };
}

/** The call for some of its texts. */
function rowsOf(call: ModelCall, rows: readonly number[]): ModelCall {
  if (rows.length === call.texts.length) return call;
  return {
    ...call,
    sample: stack(rows.map((i) => row(call.sample, i))),
    context: stack(rows.map((i) => row(call.context, i))),
    texts: rows.map((i) => call.texts[i]),
  };
}

/** Outputs for some rows as outputs for all, zero in the others. */
function spread(outputs: Conditions, rows: readonly number[], count: number): Conditions {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dims, data }]) => {
      const all = tensor('float32', [count, ...dims.slice(1)]);
      const size = data.length / rows.length;
      for (const [i, to] of rows.entries()) all.data.set(data.subarray(i * size, (i + 1) * size), to * size);
      return [name, all];
    }),
  );
}
