import { expect, test } from 'vitest';
import { checkOptions, nearestName } from '../src/options.js';

const table = {
  steps: { type: 'number', text: '', otherNames: ['num_inference_steps'] },
  guidanceScale: { type: 'number', text: '', otherNames: ['cfg_scale', 'cfg'] },
  width: { type: 'number', text: '' },
};

test.each([
  ['num_inference_steps', 'steps'],
  ['guidance_scale', 'guidanceScale'],
  ['CFG scale', 'guidanceScale'],
  ['cfgScale', 'guidanceScale'],
  ['widht', 'width'],
  ['step', 'steps'],
  ['colour', undefined],
  ['', undefined],
  ['x'.repeat(1e6), undefined],
])('%.30s: %s', (given, expected) => {
  expect(
    nearestName(given, Object.keys(table), (name) =>
      'otherNames' in table[name as 'steps'] ? table[name as 'steps'].otherNames : [],
    ),
  ).toBe(expected);
});

test('an unknown option is told the nearest', () => {
  expect(() => checkOptions({ num_inference_steps: 20 }, table, { of: 'generate()' })).toThrow(
    'num_inference_steps: is not an option of generate(). Did you mean steps? Its options are steps, guidanceScale, width.',
  );
});
