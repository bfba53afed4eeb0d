/** Seconds that a run takes. */
export async function timed(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Seconds of the fastest of several runs. */
export async function fastest(times, run) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) best = Math.min(best, await timed(run));
  return best;
}

/** Seconds of a run's fastest step, and of its text encoding and decoding. */
export async function fastestStep(sd, options) {
  let step = Number.POSITIVE_INFINITY;
  const onStep = ({ milliseconds }) => {
    step = Math.min(step, milliseconds / 1000);
  };
  const { timings } = await sd.generate({ ...options, onStep });
  return { step, encode: timings.encode / 1000, decode: timings.decode / 1000 };
}
