import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { draw, pipeline } from '@sd/example-shared';
import { lines } from '@sd/example-shared/lines';

after(async () => (await pipeline()).dispose());

const post = (body, signal) => new Request('http://here/', { method: 'POST', body: JSON.stringify(body), signal });

test('a run is lines of JSON: a preview for each step, then the image', async () => {
  const seen = [];
  for await (const line of lines(await draw(post({ prompt: 'a red apple', steps: 2, seed: 1 })))) seen.push(line);
  assert.deepEqual(seen.map(Object.keys), [
    ['step', 'steps', 'preview'],
    ['step', 'steps', 'preview'],
    ['image', 'seed'],
  ]);
});

test('a client that leaves ends the run', async () => {
  const leaving = new AbortController();
  const response = await draw(post({ prompt: 'a red apple', steps: 100_000 }, leaving.signal));
  const reader = response.body.getReader();
  await reader.read();
  leaving.abort();
  const sd = await pipeline();
  const { images } = await sd.generate({ prompt: 'a red apple', steps: 1 });
  assert.equal(images.length, 1);
});

test('mistakes have status 400', async () => {
  for (const body of ['{', JSON.stringify({ prompt: 'a red apple', steps: 0.5 })]) {
    const { status } = await draw(new Request('http://here/', { method: 'POST', body }));
    assert.equal(status, 400, body);
  }
});
