import { createNodeBackend } from '@sd/backend-node';
import { backendSuite } from '@sd/core/testing';
import { describe, test } from 'vitest';

describe('the Node backend conforms to the contract:', () => {
  for (const { name, run } of backendSuite(async () => createNodeBackend({ threads: 1 }))) test(name, run);
});
