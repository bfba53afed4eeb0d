import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultyGeneration } from '../faulty-generation.js';

// A few of the places that fuzz/faults.js tries.
let generation;
let kinds;
beforeAll(async () => {
  generation = await faultyGeneration();
  kinds = await generation.count();
});
afterAll(() => generation.dispose());

test.each(['read', 'run', 'dispose'])('a failed %s is a typed error and leaves nothing behind', async (kind) => {
  const { stage, problems } = await generation.fail(kinds.lastIndexOf(kind), false);
  expect({ stage, problems }).toEqual({ stage: expect.not.stringMatching('none'), problems: [] });
});
