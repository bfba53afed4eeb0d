import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createScheduler, karrasSigmas, noiseScheduleFromConfig, sigmaSpacing } from '../src/index.js';
import { flowError, measureOrder, samplerSuite, schedulerSuite } from '../src/testing.js';
import { everySampler } from './support/every-sampler.js';
import { halfway } from './support/readme-sampler.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the README shows the sampler that is tested here', () => {
  const source = readFileSync(new URL('./support/readme-sampler.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.trim());
});

for (const { name, run } of samplerSuite(() => halfway, { order: 2 })) test(`its sampler: ${name}`, run);

const own = () =>
  createScheduler({
    schedule: noiseScheduleFromConfig({ beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 }),
    spacing: sigmaSpacing(karrasSigmas),
    sampler: halfway,
  });
for (const { name, run } of schedulerSuite(own)) test(`its scheduler: ${name}`, run);

test('the README’s orders are the measured ones', async () => {
  const rows = [...readme.matchAll(/^\| `([^`]+)` *\| (\d) *\| ([\d.]+) *\| ([\de.-]+) *\|/gm)];
  const deterministic = Object.entries(everySampler).filter(([, { order }]) => order !== undefined);
  expect(rows.map(([, name]) => name)).toEqual(deterministic.map(([name]) => name));
  for (const [, name, claimed, measured, error] of rows) {
    const { make, order } = everySampler[name];
    expect(Number(claimed), name).toBe(order);
    expect(await measureOrder(make()), name).toBeCloseTo(Number(measured), 1);
    expect((await flowError(make(), 36)) / Number(error), name).toBeCloseTo(1, 0);
  }
});
