import { describe, test } from 'vitest';
import { samplerSuite } from '../src/testing.js';
import { everySampler } from './support/every-sampler.js';

describe.each(Object.entries(everySampler))('%s', (_, { make, order }) => {
  for (const { name, run } of samplerSuite(make, order === undefined ? {} : { order })) test(name, run);
});
