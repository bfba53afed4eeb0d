/** A stream of standard normal numbers. Drawing n and then m numbers may differ from drawing n + m: see each generator. */
export interface RandomSource {
  randn(count: number): Float32Array;
}

/** Creates a stream from a seed, an integer of up to 64 bits. A negative seed wraps around: -1 is 2^64 - 1. */
export type RandomSourceFactory = (seed: number | bigint) => RandomSource;
