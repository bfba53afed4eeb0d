import type { AdaptedModel } from '@sd/adapters';
import type { StageResources } from '@sd/core';
import type { Composition } from '../families/family.js';
import type { Stages } from '../stages.js';

/** The components of a pipeline that adapters can change, by diffusers' names. */
export function componentsOf(
  { textEncoders, noisePredictor }: Stages,
  composition: Composition,
): ReadonlyMap<string, StageResources> {
  const encoders = textEncoders.map(({ textEncoder }, i) => [composition.textEncoders[i].name, textEncoder] as const);
  return new Map<string, StageResources>([[composition.noisePredictor, noisePredictor], ...encoders]);
}

/** The stages with some components replaced. */
export function withComponents(
  stages: Stages,
  composition: Composition,
  changed: ReadonlyMap<string, StageResources>,
): Stages {
  const replaced = <Stage extends StageResources>(name: string, stage: Stage) =>
    (changed.get(name) as Stage | undefined) ?? stage;
  return {
    ...stages,
    noisePredictor: replaced(composition.noisePredictor, stages.noisePredictor),
    textEncoders: stages.textEncoders.map((stage, i) => ({
      ...stage,
      textEncoder: replaced(composition.textEncoders[i].name, stage.textEncoder),
    })),
  };
}

/** A pipeline's stages as adapters see them. */
export function adaptedModelOf(stages: Stages, composition: Composition): AdaptedModel {
  const textEncoders = new Map(componentsOf(stages, composition));
  textEncoders.delete(composition.noisePredictor);
  return {
    noisePredictorComponent: composition.noisePredictor,
    noisePredictor: stages.noisePredictor,
    textEncoders,
  };
}
