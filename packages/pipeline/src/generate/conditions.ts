import { lazyImport } from '@sd/core';
import type { Condition } from '@sd/guidance';
import type { Size } from '../families/family.js';
import type { Run } from './run-context.js';

/** The noise predictor's inputs besides text, for a pass at this image size: the family's, then the adapters'. */
export async function passConditions({ request, traits, adapters }: Run, size: Size): Promise<Condition[]> {
  const { composition, guidanceEmbeddingWidth: width } = traits;
  const familyCondition = composition.condition?.({ ...request.options }, size);
  const conditions = familyCondition === undefined ? [] : [familyCondition];
  if (width !== undefined) {
    const { guidanceEmbedding } = await lazyImport(() => import('@sd/guidance'));
    conditions.push(guidanceEmbedding({ scale: request.guidanceScale, width }));
  }
  return [...conditions, ...(await adapters.conditions({ ...size, familyCondition, signal: request.signal }))];
}
