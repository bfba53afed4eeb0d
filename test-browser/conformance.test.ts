import { backendSuite } from '@sd/core/testing';
import { describe, test } from 'vitest';
import { backendOn, providers } from './backends.js';

describe.each(providers)('the web backend keeps the contract on %s', (provider) => {
  for (const { name, run } of backendSuite(() => backendOn(provider))) test(name, run);
});
