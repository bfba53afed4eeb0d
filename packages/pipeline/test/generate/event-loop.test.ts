import { expect, test } from 'vitest';
import { loadPipeline } from '../../src/index.js';

test('timers run during generation', async () => {
  const sd = await loadPipeline();
  let ticks = 0;
  const seen: number[] = [];
  const timer = setInterval(() => {
    ticks += 1;
  }, 10);
  try {
    await sd.generate({ prompt: 'a blue car', steps: 20, seed: 1, onStep: () => void seen.push(ticks) });
  } finally {
    clearInterval(timer);
    await sd.dispose();
  }
  expect(seen).toHaveLength(20);
  expect(seen.at(-1)).toBeGreaterThan(0);
});
