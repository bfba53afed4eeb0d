import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { corpus } from '../corpus.js';
import { outcomeOf } from '../outcome.js';
import { randomOf } from '../random.js';

const made = new Map();
const targetOf = async (name) => {
  if (!made.has(name)) made.set(name, (await import(`../targets/${name}.js`)).default());
  return made.get(name);
};

const unhandled = [];
const note = (error) => unhandled.push(error);
process.on('unhandledRejection', note);
afterAll(() => process.off('unhandledRejection', note));

test('no input that ever failed fails again', async () => {
  for (const { name, target, input } of corpus()) {
    const { problem } = await outcomeOf(await targetOf(target), input);
    expect({ name, problem }).toEqual({ name, problem: undefined });
  }
  expect(unhandled).toEqual([]);
});

describe('a few inputs of each target are read or refused', () => {
  const targets = readdirSync(new URL('../targets/', import.meta.url)).map((file) => file.replace(/\.js$/, ''));
  test.each(targets)('%s', async (name) => {
    const target = await targetOf(name);
    for (let index = 0; index < 2; index++) {
      const { problem } = await outcomeOf(target, target.generate(randomOf(19, index), index));
      expect({ index, problem }).toEqual({ index, problem: undefined });
    }
  });
});

test('an input can be made again alone', async () => {
  const { generate } = await targetOf('pickle');
  expect(generate(randomOf(3, 5), 5)).toEqual(generate(randomOf(3, 5), 5));
});
