import { describe, expect, test } from 'vitest';
import {
  adaptiveProjectedGuidance,
  cfgPpGuidance,
  cfgZeroStar,
  classifierFreeGuidance,
  type Guidance,
  pix2pixGuidance,
  predictPositive,
  withinInterval,
  withRescale,
} from '../src/index.js';
import { guidanceSuite } from '../src/testing.js';

const cfg = classifierFreeGuidance({ scale: 5 });
const apg = adaptiveProjectedGuidance({ scale: 5, normThreshold: 3, momentum: -0.5 });

describe.each<[string, Guidance]>([
  ['no guidance', classifierFreeGuidance({ scale: 1 })],
  ['classifier-free', cfg],
  ['a scale that varies', classifierFreeGuidance({ scale: ({ sigma }) => 1 + 4 * sigma })],
  ['rescaled', withRescale(cfg, 0.7)],
  ['an interval', withinInterval(cfg, { from: 0.3, to: 5 })],
  ['CFG-Zero*', cfgZeroStar({ scale: 5 })],
  ['zero-init', cfgZeroStar({ scale: 5, zeroInitSteps: 1 })],
  ['APG', apg],
  ['APG of diffusers', adaptiveProjectedGuidance({ scale: 5, momentum: 0.5, form: 'diffusers' })],
  ['CFG++', cfgPpGuidance({ lambda: 0.6 })],
  ['InstructPix2Pix', pix2pixGuidance({ scale: 5, imageScale: 1.5 })],
  ['all stacked', withinInterval(withRescale(apg, 0.5), { to: 10 })],
])('conformance of %s', (_, guidance) => {
  test.each(guidanceSuite(guidance))('$name', ({ run }) => run());
});

describe('the suite finds', () => {
  let calls = 0;
  test.each<[wrong: string, found: string, guidance: Guidance]>([
    ['a shorter output', 'guides a run of v', () => async (input) => (await predictPositive(input)).slice(1)],
    [
      'a division by alpha, which may be 0',
      'guides a run of v',
      () => async (input) => (await predictPositive(input)).map((v) => v / input.level.alpha),
    ],
    [
      'an output changed in place',
      'leaves its inputs',
      () => async (input) => (await predictPositive({ ...input, positive: [input.positive[0]] })).fill(0),
    ],
    [
      'state outside of the guide',
      'keeps images independent',
      () => async (input) => {
        calls += 1;
        return (await predictPositive(input)).map((v) => v + calls);
      },
    ],
    [
      'a swallowed error',
      'passes on errors',
      () => async (input) => predictPositive(input).catch(() => new Float32Array(input.x.length)),
    ],
  ])('%s', async (_, found, guidance) => {
    const failed: string[] = [];
    for (const { name, run } of guidanceSuite(guidance)) await run().catch(() => failed.push(name));
    expect(failed.some((name) => name.startsWith(found))).toBe(true);
  });
});
