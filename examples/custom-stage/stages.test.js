import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPipeline } from '@sd/pipeline';
import { samplerSuite } from '@sd/scheduler/testing';
import { mockTextEncoder, textEncoderSuite } from '@sd/text-encoder/testing';
import { mockTokenizer } from '@sd/tokenizer/testing';
import { vaeSuite } from '@sd/vae/testing';
import { withCache } from './caching-text-encoder.js';
import { linearVae } from './linear-vae.js';
import { secondOrder } from './second-order-sampler.js';

const tokenizer = mockTokenizer();
const tokens = [tokenizer.encode('a cat'), tokenizer.encode('a dog')];

const suites = {
  'cache over a mock': textEncoderSuite({ create: () => withCache(mockTextEncoder()), tokens }),
  'second-order sampler': samplerSuite(() => secondOrder, { order: 2 }),
  'linear VAE': vaeSuite({ create: () => linearVae }),
};

for (const [stage, cases] of Object.entries(suites)) {
  for (const { name, run } of cases) test(`${stage}: ${name}`, run);
}

test('a cache over the embedded model gives the same embeddings', async (t) => {
  const sd = await loadPipeline();
  t.after(() => sd.dispose());
  const [{ tokenizer, textEncoder }] = sd.stages.textEncoders;
  const prompts = ['a cat', 'a dog'].map((text) => tokenizer.encode(text));
  const plain = await textEncoder.encode(prompts);
  const encoder = withCache(textEncoder);
  for (let i = 0; i < 2; i++) {
    const cached = await encoder.encode(prompts);
    for (const [k, { hidden }] of cached.entries()) assert.deepEqual(hidden.data, plain[k].hidden.data);
  }
});
