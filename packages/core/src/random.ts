/** A stream of standard normal numbers. Drawing n and then m may differ from drawing n + m: see each generator. */
export interface RandomSource {
  randn(count: number): Float32Array;
}

/** Makes a stream from a seed, an integer of up to 64 bits; a negative one counts from 2^64 down. */
export type RandomSourceFactory = (seed: number | bigint) => RandomSource;
