import type { Stages } from '../stages.js';
import type { Composition, Family, FolderFacts } from './family.js';
import { sd1 } from './sd1.js';
import { sd2 } from './sd2.js';
import { sd3 } from './sd3/sd3.js';
import type { MicroConditioningPair } from './sdxl/micro-conditioning.js';
import { sdxl, sdxlRefiner } from './sdxl/sdxl.js';

/** The supported model families, in the order in which files are matched: the first that recognises them is used. */
export const families: readonly Family[] = [sd3, sdxl, sdxlRefiner, sd2, sd1];

/** Options of `generate` that only some families have. */
export type FamilyGenerateOptions = MicroConditioningPair;

/** The family of a diffusers folder; Stable Diffusion 1 recognises any. */
export function familyOfFolder(facts: FolderFacts): Family {
  return families.find(({ folder }) => folder.recognises(facts))!;
}

/** The composition for stages that do not come from a model's files. */
export function compositionOf(stages: Stages): Composition {
  const family = families.find(({ fits }) => fits(stages)) ?? sd1;
  return family.composition(stages);
}
