/**
 * Random numbers for one input: mulberry32 over a seed and the input's index, so that each input can be made again alone.
 */
export function randomOf(seed, index) {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (limit) => Math.floor(next() * limit);
  return {
    next,
    /** A whole number below the limit. */
    int,
    /** A whole number from `low` to `high`, both included. */
    range: (low, high) => low + int(high - low + 1),
    chance: (probability) => next() < probability,
    pick: (list) => list[int(list.length)],
    bytes: (count) => Uint8Array.from({ length: count }, () => int(256)),
    times: (count, make) => Array.from({ length: count }, (_, i) => make(i)),
  };
}
