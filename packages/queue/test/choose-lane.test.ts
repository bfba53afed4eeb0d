import { expect, it } from 'vitest';
import type { LaneState } from '../src/scripts/list-lanes.js';
import { chooseLanes } from '../src/worker/choose-lane.js';

/** Normal priority, of the n-th round. */
const normal = (round: number) => 699_050 + round;

const lane = (model: string, state: Partial<LaneState> = {}): LaneState => ({
  lane: model,
  needs: { version: 1, model, loras: [] },
  waiting: 1,
  oldestMs: 1_000,
  priority: normal(1),
  returned: 0,
  active: 0,
  ...state,
});

const worker = {
  fits: ({ model }: { model: string }) => model !== 'unknown',
  affinity: ({ model }: { model: string }) => (model === 'loaded' ? 2 : 0),
  patienceMs: 30_000,
  sinceLoadMs: 60_000,
};
const order = (states: LaneState[], settings = {}) =>
  chooseLanes(states, { ...worker, ...settings }).map(({ lane }) => lane);

it('prefers what is loaded, then the lower round, then the longer wait', () => {
  const states = [
    lane('later', { priority: normal(9) }),
    lane('sooner', { priority: normal(2) }),
    lane('older', { priority: normal(2), oldestMs: 2_000 }),
    lane('loaded', { priority: normal(50) }),
  ];
  expect(order(states)).toEqual(['loaded', 'older', 'sooner', 'later']);
});

it('leaves what it cannot draw, and lanes where nothing waits', () => {
  expect(order([lane('unknown'), lane('drawn', { waiting: 0, active: 1 }), lane('other')])).toEqual(['other']);
});

it('puts urgent jobs before loaded models, and what a dead worker left before all', () => {
  const states = [lane('loaded'), lane('urgent', { priority: 3 }), lane('left', { waiting: 0, returned: 1 })];
  expect(order(states)).toEqual(['left', 'urgent', 'loaded']);
});

it('takes the lane that has waited longest once its patience is over, and not again before it is over again', () => {
  const states = [
    lane('loaded', { oldestMs: 90_000 }),
    lane('b', { oldestMs: 95_000 }),
    lane('c', { oldestMs: 91_000 }),
  ];
  expect(order(states)[0]).toBe('b');
  expect(order(states, { sinceLoadMs: 10_000 })[0]).toBe('loaded');
});
