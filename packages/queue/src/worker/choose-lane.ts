import type { Needs } from '../job.js';
import { classOf } from '../scripts/admit.js';
import type { LaneState } from '../scripts/list-lanes.js';

export interface ChooseOptions {
  fits(needs: Needs): boolean;
  affinity(needs: Needs): number;
  /** How long a job may wait for a worker that has its model. */
  readonly patienceMs: number;
  /** How long ago this worker last loaded something. */
  readonly sinceLoadMs: number;
}

/**
 * The lanes that a worker can draw from, the best first:
 * 1. those with a job that a dead worker left;
 * 2. the one whose oldest job has waited for longer than `patienceMs`: but only if this worker has not loaded anything for as
 *    long, since with more to do than can be done all jobs wait long, and loading for each would make it worse;
 * 3. by the priority of its next job; then by what is loaded; then by the round of its next job, so that users take turns.
 */
export function chooseLanes(states: readonly LaneState[], options: ChooseOptions): LaneState[] {
  const { fits, affinity, patienceMs, sinceLoadMs } = options;
  const overdueMs = ({ oldestMs }: LaneState) => (sinceLoadMs >= patienceMs && oldestMs > patienceMs ? oldestMs : 0);
  const rank = (state: LaneState) => [
    state.returned > 0 ? 0 : 1,
    -overdueMs(state),
    classOf(state.priority),
    -affinity(state.needs),
    state.priority,
    -state.oldestMs,
  ];
  return states
    .filter(({ waiting, returned, needs }) => waiting + returned > 0 && fits(needs))
    .map((state) => ({ state, rank: rank(state) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ state }) => state);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, index) => value !== b[index]);
  return i === -1 ? 0 : a[i] - b[i];
}
