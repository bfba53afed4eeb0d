import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createScheduler, karrasSigmas, noiseScheduleFromConfig, sigmaSpacing } from '../src/index.js';
import { flowError, measureOrder, samplerSuite, schedulerSuite } from '../src/testing.js';
import { everySampler } from './support/every-sampler.js';
import { extrapolated } from './support/readme-sampler.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test('the README contains the sampler that is tested here', () => {
  const source = readFileSync(new URL('./support/readme-sampler.ts', import.meta.url), 'utf8');
  expect(readme).toContain(source.trim());
});

for (const { name, run } of samplerSuite(() => extrapolated, { order: 2 })) test(`the README's sampler ${name}`, run);

const make = () =>
  createScheduler({
    schedule: noiseScheduleFromConfig({ beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 }),
    spacing: sigmaSpacing(karrasSigmas),
    sampler: extrapolated,
  });
for (const { name, run } of schedulerSuite(make)) test(`a scheduler with it ${name}`, run);

test('the README has the measured orders', async () => {
  const rows = [...readme.matchAll(/^\| `([^`]+)` *\| (\d) *\| ([\d.]+) *\| ([\de.-]+) *\|/gm)];
  const deterministic = Object.entries(everySampler).filter(([, { order }]) => order !== undefined);
  expect(rows.map(([, name]) => name)).toEqual(deterministic.map(([name]) => name));
  for (const [, name, claimed, measured, error] of rows) {
    const { make: create, order } = everySampler[name];
    expect(Number(claimed), name).toBe(order);
    expect(await measureOrder(create()), name).toBeCloseTo(Number(measured), 1);
    expect((await flowError(create(), 36)) / Number(error), name).toBeCloseTo(1, 0);
  }
});
