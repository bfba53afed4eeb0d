import { expect, test } from 'vitest';
import { kebab, withoutAliases } from '../src/options/table-options.js';

test('options are spelled with hyphens', () => {
  expect(['guidanceScale', 'prompt2', 'steps'].map(kebab)).toEqual(['guidance-scale', 'prompt-2', 'steps']);
});

test('aliases are replaced up to --', () => {
  const spellings = { guidanceScale: { aliases: ['--cfg'] } };
  expect(withoutAliases(['--cfg', '7', '--cfg=5', '--', '--cfg'], spellings)).toEqual([
    '--guidance-scale',
    '7',
    '--guidance-scale=5',
    '--',
    '--cfg',
  ]);
});
