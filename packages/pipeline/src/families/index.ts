import type { Stages } from '../stages.js';
import type { Composition, Family, FolderFacts } from './family.js';
import { sd1 } from './sd1.js';
import { sd2 } from './sd2.js';
import { sd3 } from './sd3/sd3.js';
import type { MicroConditioningPair } from './sdxl/micro-conditioning.js';
import { sdxl, sdxlRefiner } from './sdxl/sdxl.js';

/** The supported families of models; the first that recognises a model's files has it. */
export const families: readonly Family[] = [sd3, sdxl, sdxlRefiner, sd2, sd1];

/** Options of `generate` that single families have. */
export type FamilyGenerateOptions = MicroConditioningPair;

/** The family of a diffusers folder. */
export function familyOfFolder(facts: FolderFacts): Family {
  return families.find(({ folder }) => folder.recognises(facts))!;
}

/** How a pipeline of these stages runs, where no model's files say it. */
export function compositionOf(stages: Stages): Composition {
  const family = families.find(({ fits }) => fits(stages)) ?? sd1;
  return family.composition(stages);
}
