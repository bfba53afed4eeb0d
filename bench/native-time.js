import { BroadcastChannel } from 'node:worker_threads';
import { createNodeBackend } from '@sd/backend-node';

/** A backend with its native runs timed inside its worker, and their total so far in milliseconds. */
export function timedBackend() {
  const channel = new BroadcastChannel('sd-bench-native-runs');
  channel.unref();
  let milliseconds = 0;
  channel.onmessage = ({ data }) => {
    milliseconds += data;
  };
  return {
    backend: createNodeBackend({ runtime: new URL('./timed-runtime.js', import.meta.url) }),
    /** Waits first, since the worker's messages arrive a moment after the results. */
    async nativeTime() {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return milliseconds;
    },
    close: () => channel.close(),
  };
}

/** The fraction of a run's steps that is spent outside native runs: in transfers, guidance and the scheduler. */
export async function fractionOutside(sd, nativeTime, options) {
  let steps = 0;
  let native = 0;
  for await (const event of sd.stream(options)) {
    if (event.type === 'encode') native = -(await nativeTime());
    if (event.type !== 'step') continue;
    steps += event.milliseconds;
    if (event.step + 1 === event.steps) native += await nativeTime();
  }
  return (steps - native) / steps;
}
