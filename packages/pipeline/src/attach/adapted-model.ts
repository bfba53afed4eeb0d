import type { AdaptedModel } from '@sd/adapters';
import type { StageResources } from '@sd/core';
import type { Stages } from '../stages.js';

/** The stages that adapters can change, by diffusers' names of the components. */
const stageNames = { unet: 'unet', text_encoder: 'textEncoder', text_encoder_2: 'textEncoder2' } as const;

/** The components of a pipeline that adapters can change. */
export function componentsOf(stages: Stages): ReadonlyMap<string, StageResources> {
  const entries = Object.entries(stageNames).map(([component, name]) => [component, stages[name]] as const);
  return new Map(entries.flatMap(([component, stage]) => (stage === undefined ? [] : [[component, stage]])));
}

/** The stages with other components in their places. */
export function withComponents(stages: Stages, components: Iterable<readonly [string, StageResources]>): Stages {
  const changed = [...components].map(([component, stage]) => [
    stageNames[component as keyof typeof stageNames],
    stage,
  ]);
  return { ...stages, ...Object.fromEntries(changed) };
}

/** A pipeline's stages as adapters see them. */
export function adaptedModelOf(stages: Stages): AdaptedModel {
  const textEncoders = new Map(componentsOf(stages));
  textEncoders.delete('unet');
  return { noisePredictorComponent: 'unet', noisePredictor: stages.unet, textEncoders };
}
