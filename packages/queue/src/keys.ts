/** The names of keys and channels in Redis. The braces keep all keys of a queue on one node of a cluster, as BullMQ needs. */
export interface Keys {
  /** BullMQ's prefix. */
  readonly prefix: string;
  /** Lanes that may have jobs: what they need, by name. Hash. */
  readonly lanes: string;
  /** Jobs that wait, by the time at which they came. Sorted set. */
  readonly waiting: string;
  waitingIn(lane: string): string;
  /** The round of each user's latest job. Sorted set. */
  readonly rounds: string;
  /** `round`, the round of the latest job that was started; `base`, the round that priorities count from; `meanMs`. Hash. */
  readonly clock: string;
  /** What is known of a job besides BullMQ's own record. Hash. */
  job(id: string): string;
  /** A job's events. Stream. */
  events(id: string): string;
  /** Live workers: what each has, and when it was last seen. Hash. */
  readonly workers: string;
  /** Names of models and LoRAs that workers had, by when they were last seen. Sorted sets. */
  readonly models: string;
  readonly loras: string;
  /** Keys in the store, by when they expire. Sorted set. */
  readonly expiry: string;
  /** A lane's record at BullMQ: `active`, `wait`, `prioritized`, a job's id. */
  bull(lane: string, type: string): string;
  /** Published when a job has been queued. */
  readonly wakeChannel: string;
  /** Published with the id of a job that is to be cancelled. */
  readonly cancelChannel: string;
  /** Published when a job has a new event. */
  eventChannel(id: string): string;
}

export function keysOf(name: string): Keys {
  const prefix = `{${name}}`;
  return {
    prefix,
    lanes: `${prefix}:lanes`,
    waiting: `${prefix}:waiting`,
    waitingIn: (lane) => `${prefix}:waiting:${lane}`,
    rounds: `${prefix}:rounds`,
    clock: `${prefix}:clock`,
    job: (id) => `${prefix}:job:${id}`,
    events: (id) => `${prefix}:job:${id}:events`,
    workers: `${prefix}:workers`,
    models: `${prefix}:models`,
    loras: `${prefix}:loras`,
    expiry: `${prefix}:expiry`,
    bull: (lane, type) => `${prefix}:${lane}:${type}`,
    wakeChannel: `${prefix}:wake`,
    cancelChannel: `${prefix}:cancel`,
    eventChannel: (id) => `${prefix}:event:${id}`,
  };
}

/** For how long a job and its images are kept that does not end: longer than any queue. */
export const longestJobMs = 7 * 24 * 3_600_000;

/** The lane of a job, which its id begins with. */
export function laneOfId(id: string): string {
  return id.slice(0, id.indexOf('-'));
}
