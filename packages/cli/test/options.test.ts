import { schedulerNamed } from '@sd/pipeline';
import { expect, test } from 'vitest';
import { kebab, withoutAliases } from '../src/options/table-options.js';

test.each([
  ['DPM++ 2M Karras', 'dpmpp-2m-karras'],
  ['dpmpp_2m', 'dpmpp-2m'],
  ['dpm++2m', 'dpmpp-2m'],
  ['DPM++ 2M SDE Karras', 'dpmpp-2m-sde-karras'],
  ['DPM++ SDE', 'dpmpp-sde'],
  ['dpm++2s_a', 'dpmpp-2s-ancestral'],
  ['DPM++ 2S a Karras', 'dpmpp-2s-ancestral-karras'],
  ['DPM2 a Karras', 'dpm2-ancestral-karras'],
  ['euler_a', 'euler-ancestral'],
  ['Euler a', 'euler-ancestral'],
  ['k_euler', 'euler'],
  ['sample_dpmpp_2m', 'dpmpp-2m'],
  ['UniPC', 'unipc'],
  ['EulerDiscreteScheduler', 'EulerDiscreteScheduler'],
])('the scheduler %s is %s', (name, expected) => {
  expect(schedulerNamed(name)).toBe(expected);
});

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
